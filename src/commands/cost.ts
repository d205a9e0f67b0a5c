import type { Outcome } from '../base/diagnostics/index.js';
import { type CostOptions, type CostResult, costOfOpened } from '../run/cost.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { openTarget } from '../workspace/open.js';
import type { Target } from '../workspace/types.js';

export type { FunctionCost } from '../cost/index.js';
export type { CostData, CostOptions, CostResult, CostRow } from '../run/cost.js';

/** Costs of a config's compiled network, layer by layer; with data also what its spikes cost. */
export async function costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>> {
  const findings = new Findings();
  await prepare([target]);
  const value = await costOfOpened(openTarget(target, options, findings), options, findings);
  return { value, diagnostics: findings.all };
}
