import type { Tensor } from '../../src/base/dtype.js';
import { type Diagnostic, type Outcome, hasErrors } from '../../src/base/diagnostics/index.js';
import type { NeuronDef } from '../../src/equations/index.js';
import { type ImportedNetwork, importOnnx } from '../../src/frontends/onnx/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Config, type Model, type ModelLoader, checkModel } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';
import { type PassRun, type PipelineResult, inferencePlan, runPlan } from '../../src/passes/index.js';
import { problemsOf } from '../../src/workspace/config-problems.js';
import { planOf } from '../../src/workspace/conversion-plan.js';
import type { Weights } from './messages.js';

/** A config's network on its way through the passes. */
export interface CompiledConfig {
  readonly name: string;
  /** Before the first pass. */
  readonly source: Network;
  readonly network: Network;
  readonly runs: readonly PassRun[];
  /** Of a config that converts an ONNX file. */
  readonly imported?: ImportedNetwork;
}

/** What the page has: texts of the standard library, and files that were dropped into it. */
export interface Files {
  readonly library: Readonly<Record<string, string>>;
  readonly onnx: ReadonlyMap<string, Uint8Array>;
}

export const modelName = 'model.spike';

/** Checks the page's model file as `spikec check` does. */
export function checked(text: string, files: Files): Outcome<Model> {
  const loader: ModelLoader = { read: () => undefined, library: (name) => files.library[`spikec/${name}`] };
  const { value, diagnostics } = checkModel({ name: modelName, text }, loader);
  if (value === undefined) return { diagnostics };
  const exists = (path: string): boolean => files.onnx.has(path);
  const all = [...diagnostics, ...[...value.configs.values()].flatMap((config) => problemsOf(config, exists))];
  return { value, diagnostics: all };
}

/** Compiles a config: a network of layers with initial weights or trained ones, or an ONNX file that the page has. */
export function compiled(config: Config, files: Files, weights: Weights = {}): Outcome<CompiledConfig> {
  const { network } = config;
  if (network.kind === 'network') {
    const { value: initial, diagnostics } = lowerModel(config);
    if (initial === undefined) return { diagnostics };
    const source = withWeights(initial, weights);
    return finished(config.name, source, runPlan(source, inferencePlan()), diagnostics);
  }
  const bytes = files.onnx.get(network.resolved);
  const { value: imported, diagnostics } = importOnnx({ name: network.resolved, bytes: bytes ?? new Uint8Array() });
  if (imported === undefined || hasErrors(diagnostics)) return { diagnostics };
  const result = runPlan(imported.network, planOf(config, libraryNeurons(files)));
  return finished(config.name, imported.network, result, diagnostics, imported);
}

function finished(
  name: string,
  source: Network,
  { network, runs, diagnostics }: PipelineResult,
  before: readonly Diagnostic[],
  imported?: ImportedNetwork,
): Outcome<CompiledConfig> {
  const all = [...before, ...diagnostics];
  if (network === undefined || hasErrors(all)) return { diagnostics: all };
  return { value: { name, source, network, runs, ...(imported === undefined ? {} : { imported }) }, diagnostics: all };
}

/** The network with other values of its parameters, where there are any. */
export function withWeights(network: Network, weights: Weights): Network {
  const params = [...network.params].map(([name, param]) => {
    const other = weights[name];
    // a training may keep them in another shape
    const tensor = { ...param.tensor, data: other?.data ?? param.tensor.data } as Tensor;
    return [name, { ...param, tensor }] as const;
  });
  return { ...network, params: new Map(params) };
}

function libraryNeurons({ library }: Files): ReadonlyMap<string, NeuronDef> {
  const text = library['spikec/neurons'] ?? '';
  const loader: ModelLoader = { read: () => undefined, library: () => undefined };
  return checkModel({ name: 'spikec/neurons', text }, loader).value?.neurons ?? new Map();
}
