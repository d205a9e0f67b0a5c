import { DiagnosticError, diagnostic } from '../base/diagnostics/index.js';
import { lowerModel } from '../lower/model-to-network/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import { type PassRun, pipelines, runPipeline } from '../passes/index.js';
import type { PipelineHooks } from '../passes/index.js';
import { libraryNeurons } from './files.js';
import type { Findings } from './target.js';

/** The network of a config as Network IR, with initial weights. */
export function networkOf(config: Config, findings: Findings, seed?: number): Network {
  if (config.bits !== undefined) {
    const help = 'leave out `bits` to train with real weights';
    throw new DiagnosticError(diagnostic('cli/not-lowered', { construct: '`bits`' }, config.bits.place, { help }));
  }
  return findings.take(lowerModel(config, seed === undefined ? {} : { seed }));
}

/** A trained (or initial) network made ready for inference: dropout gone, batch norm folded. */
export function forInference(
  network: Network,
  findings: Findings,
  hooks: PipelineHooks = {},
): { readonly network: Network; readonly runs: readonly PassRun[] } {
  const options = {
    coding: network.coding?.name ?? '',
    beta: 2,
    steps: 1,
    silent: () => 0,
    encoder: 'exact' as const,
    threshold: 0.5,
    rectified: true,
    neurons: libraryNeurons(),
  };
  const result = runPipeline(network, pipelines.ann, options, { now: () => performance.now(), ...hooks });
  return { network: findings.take({ ...dropNetwork(result), diagnostics: result.diagnostics }), runs: result.runs };
}

function dropNetwork({ network }: { readonly network?: Network }): { readonly value?: Network } {
  return network === undefined ? {} : { value: network };
}
