import { DiagnosticError, type Outcome } from '../base/diagnostics/index.js';
import { costOf } from '../cost/index.js';
import { type DiffResult, type DiffSide, diffSides } from '../diff/index.js';
import type { Network } from '../network/index.js';
import { checkRuns } from '../run/runnable.js';
import { inferenceProgram } from '../workspace/artifacts.js';
import { networkAt } from '../workspace/at-pass.js';
import { prepare } from '../workspace/nir.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { Findings } from '../workspace/findings.js';
import { loadModel } from '../workspace/load-model.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import type { irs } from './choices.js';

export type { DiffResult } from '../diff/index.js';

export interface DiffOptions extends CommonOptions {
  /** Compare the networks after this pass, or `source`: before all passes. Without it: as they are compiled. */
  readonly at?: string;
  readonly ir?: (typeof irs)[number];
}

/** Every configuration of a file beside one of them. */
export interface DiffMatrix {
  readonly base: string;
  readonly configs: readonly (
    { readonly config: string; readonly result: DiffResult } | { readonly config: string; readonly error: string }
  )[];
}

/** What differs between the networks of two targets, and between their costs. */
export async function diffTargets(from: Target, to: Target, options: DiffOptions): Promise<Outcome<DiffResult>> {
  const findings = new Findings();
  await prepare([from, to]);
  const [a, b] = [networkAt(from, options, findings), networkAt(to, options, findings)];
  if (options.ir === 'tensor') {
    checkRuns(a, from.path);
    checkRuns(b, to.path);
  }
  const value = diffSides(sideOf(from, a, options), sideOf(to, b, options));
  return { value, diagnostics: findings.all };
}

/** Every configuration of a model file against one; one that doesn't compile says why and doesn't stop the others. */
export function diffConfigs(base: Target, options: DiffOptions): Promise<Outcome<DiffMatrix>> {
  const findings = new Findings();
  const model = findings.take(loadModel(base.path, options));
  const [first] = model.configs.keys();
  const chosen = chooseConfig(model, {
    path: base.path,
    ...(first === undefined ? {} : { config: base.config ?? first }),
  });
  const from = { path: base.path, config: chosen.name };
  const network = networkAt(from, options, findings);
  const others = [...model.configs.keys()].filter((name) => name !== chosen.name);
  const configs = others.map((config): DiffMatrix['configs'][number] => {
    const target = { path: base.path, config };
    try {
      const other = networkAt(target, options, new Findings());
      return { config, result: diffSides(sideOf(from, network, options), sideOf(target, other, options)) };
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      return { config, error: error.message };
    }
  });
  return Promise.resolve({ value: { base: chosen.name, configs }, diagnostics: findings.all });
}

function sideOf({ path, config }: Target, network: Network, { ir }: DiffOptions): DiffSide {
  const name = config === undefined ? path : `${path}#${config}`;
  const program = ir === 'tensor' ? { program: inferenceProgram(network) } : {};
  return { name, network, cost: costOf(network), ...program };
}
