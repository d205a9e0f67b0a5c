import { DiagnosticError, type Outcome, fail } from '../base/diagnostics/index.js';
import { costOf } from '../cost/index.js';
import {
  type DiffView,
  counterpartsOf,
  diffNetworks,
  diffPrograms,
  programText,
  renamedValues,
  layersSideBySide,
  sideBySide,
  type ProgramHunk,
} from '../diff/index.js';
import type { Network } from '../network/index.js';
import { suggest } from '../base/did-you-mean.js';
import { passes } from '../passes/index.js';
import { checkRan } from '../workspace/compiled.js';
import { isOnnx, openTarget } from '../workspace/open.js';
import { inferenceProgram } from '../workspace/artifacts.js';
import { checkRuns } from '../run/runnable.js';
import { Findings } from '../workspace/findings.js';
import { loadModel } from '../workspace/load-model.js';
import { chooseConfig } from '../workspace/choose-config.js';
import type { Target, CommonOptions } from '../workspace/types.js';
import type { irs } from './choices.js';

export interface DiffOptions extends CommonOptions {
  /** Compare the networks after this pass, or `source`: before all passes. Without it: as they are compiled. */
  readonly at?: string;
  readonly ir?: (typeof irs)[number];
}

export interface DiffResult {
  readonly view: DiffView;
  readonly identical: boolean;
  /** With `ir: 'tensor'`: what differs between the programs. */
  readonly program?: readonly ProgramHunk[];
}

/** Every configuration of a file beside one of them. */
export interface DiffMatrix {
  readonly base: string;
  readonly configs: readonly (
    { readonly config: string; readonly result: DiffResult } | { readonly config: string; readonly error: string }
  )[];
}

/** What differs between the networks of two targets, and between their costs. */
export function diffTargets(from: Target, to: Target, options: DiffOptions): Promise<Outcome<DiffResult>> {
  const findings = new Findings();
  const [a, b] = [networkOf(from, options, findings), networkOf(to, options, findings)];
  if (options.ir === 'tensor') {
    checkRuns(a, from.path);
    checkRuns(b, to.path);
  }
  return Promise.resolve({ value: compare(sideOf(from, a), sideOf(to, b), options), diagnostics: findings.all });
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
  const network = networkOf(from, options, findings);
  const others = [...model.configs.keys()].filter((name) => name !== chosen.name);
  const configs = others.map((config): DiffMatrix['configs'][number] => {
    const target = { path: base.path, config };
    try {
      const other = networkOf(target, options, new Findings());
      return { config, result: compare(sideOf(from, network), sideOf(target, other), options) };
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      return { config, error: error.message };
    }
  });
  return Promise.resolve({ value: { base: chosen.name, configs }, diagnostics: findings.all });
}

/** Before all passes. */
const source = 'source';

/** A target's network after the pass that is named, or as it is compiled; an ONNX file's as it is imported. */
function networkOf(target: Target, options: DiffOptions, findings: Findings): Network {
  const { at } = options;
  const names = [source, ...passes.map(({ name }) => name)];
  if (at !== undefined && !names.includes(at)) {
    fail('cli/unknown-pass', { pass: at }, undefined, { help: suggest(at, names) });
  }
  const opened = openTarget(target, { ...options, onnx: true }, findings);
  if (at === source || (at === undefined && isOnnx(target))) return opened.network;
  const { network, runs } = opened.compiled({ stopAfter: at });
  checkRan(at, runs);
  return network;
}

interface Side {
  readonly network: Network;
  readonly name: string;
}

function sideOf({ path, config }: Target, network: Network): Side {
  return { name: config === undefined ? path : `${path}#${config}`, network };
}

function compare(from: Side, to: Side, { ir }: DiffOptions): DiffResult {
  const diff = diffNetworks(from.network, to.network);
  const [a, b] = [costOf(from.network), costOf(to.network)];
  const view: DiffView = {
    from: from.name,
    to: to.name,
    diff,
    cost: sideBySide({ ...a.total }, { ...b.total }),
    cost_layers: layersSideBySide(plain(a.layers), plain(b.layers), diff),
  };
  if (ir !== 'tensor') return { view, identical: diff.identical };
  const counterpart = counterpartsOf(diff);
  const names = new Map(diff.renamed.map((pair) => [pair.from, pair.to]));
  const program = diffPrograms(
    programText(renamedValues(inferenceProgram(from.network), names)),
    programText(inferenceProgram(to.network)),
    counterpart,
  );
  return { view, program, identical: program.length === 0 && diff.weights.every(({ equal }) => equal) };
}

function plain<T extends { readonly id: string }>(layers: readonly T[]): readonly (T & Record<string, unknown>)[] {
  return layers.map((layer) => ({ ...layer }));
}
