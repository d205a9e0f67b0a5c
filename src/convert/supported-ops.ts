import { DiagnosticError } from '../base/diagnostics/index.js';
import { type Network } from '../network/index.js';
import { type PipelineResult } from '../passes/index.js';
import { runPlan } from '../passes/index.js';
import { conversionPlan } from '../workspace/conversion.js';
import { Findings } from '../workspace/findings.js';
import type { ConversionCoding } from '../workspace/types.js';
import type { ConvertOptions } from './options.js';
import { modelText } from './model-text.js';
import { unwritten } from './unwritten.js';

/** What `convert --coding` with these options makes of a network whose ranges its quantisers say. */
export function convertedBy(
  network: Network,
  coding: ConversionCoding,
  options: Partial<ConvertOptions> = {},
): PipelineResult {
  const findings = new Findings();
  const text = modelText('net.onnx', { coding, outDir: '', ...options }, {});
  const { config } = unwritten('net.spike', text, findings);
  const plan = conversionPlan(config, findings);
  if (findings.all.some(({ severity }) => severity === 'error')) throw new DiagnosticError(findings.all);
  return runPlan(network, plan);
}
