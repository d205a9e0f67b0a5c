import { type Diagnostic, diagnostic, hasErrors } from '../base/diagnostics/index.js';
import { configProblems, lowerModel, mayBeUnreached } from '../lower/model-to-network/index.js';
import { type Config, unmoved } from '../model/index.js';
import { conversionProblems } from './conversion-rules.js';
import { layerProblems, readsLayers, trainingProblems } from './training-problems.js';

/** What keeps a config from being compiled, by the rules that compiling it goes by. `exists` asks for files by their path. */
export function problemsOf(config: Config, exists: (path: string) => boolean): readonly Diagnostic[] {
  const { network } = config;
  if (network.kind === 'network') return problemsOfLayers(config);
  const missing = exists(network.resolved)
    ? []
    : [diagnostic('file/missing', { path: network.resolved }, network.place)];
  const found = [...missing, ...conversionProblems(config)];
  return hasErrors(found) ? found : [...found, ...trainingProblems(config)];
}

/**
 * What is found in a config once it is lowered, with zeros for weights: surrogates that no membrane reaches, and what its training
 * says of layers that aren't there. Takes longer than the rules alone; only for configs that these find no error in. Layers of an ONNX file
 * aren't known here: training says the same of them.
 */
export function problemsOnceLowered(config: Config): readonly Diagnostic[] {
  if (config.network.kind === 'onnx') return [];
  const reads = readsLayers(config);
  if (!reads && !mayBeUnreached(config)) return [];
  const { value, diagnostics } = lowerModel(config, { blank: true, checked: true });
  return reads && value !== undefined ? [...diagnostics, ...layerProblems(config, value)] : diagnostics;
}

/** Configs as they were made that nothing is wrong with: while somebody types, most are only moved. */
const faultless = new WeakSet<Config>();

function problemsOfLayers(config: Config): readonly Diagnostic[] {
  const made = unmoved(config);
  if (faultless.has(made)) return [];
  const found = configProblems(config);
  // what can't be compiled can't be trained, and says so once
  const all = hasErrors(found) ? found : [...found, ...trainingProblems(config)];
  if (all.length === 0) faultless.add(made);
  return all;
}
