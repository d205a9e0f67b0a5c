import type { Outcome } from '../base/diagnostics/index.js';
import { evaluate } from '../run/evaluate.js';
import type { EvalOptions, EvalResult } from '../run/types.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { openTarget } from '../workspace/open.js';
import type { Target } from '../workspace/types.js';

/** Accuracy, agreement with the source, spikes, operations per frame and latency of a network on data. */
export async function evaluateTarget(target: Target, options: EvalOptions): Promise<Outcome<EvalResult>> {
  const findings = new Findings();
  await prepare([target]);
  const value = await evaluate(openTarget(target, options, findings), options, findings);
  return { value, diagnostics: findings.all };
}
