import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { configProblems, lowerModel, mayBeUnreached } from '../lower/model-to-network/index.js';
import { type Config, unmoved } from '../model/index.js';
import { conversionProblems } from './conversion-rules.js';

/** What keeps a config from being compiled, by the rules that compiling it goes by. `exists` asks for files by their path. */
export function problemsOf(config: Config, exists: (path: string) => boolean): readonly Diagnostic[] {
  const { network } = config;
  if (network.kind === 'network') return problemsOfLayers(config);
  const missing = exists(network.resolved)
    ? []
    : [diagnostic('file/missing', { path: network.resolved }, network.place)];
  return [...missing, ...conversionProblems(config)];
}

/**
 * What is found in a config once it is lowered, with zeros for weights: surrogates that no membrane reaches. Takes longer than the
 * rules alone; only for configs that these find no error in.
 */
export function problemsOnceLowered(config: Config): readonly Diagnostic[] {
  return mayBeUnreached(config) ? lowerModel(config, { blank: true }).diagnostics : [];
}

/** Configs as they were made that nothing is wrong with: while somebody types, most are only moved. */
const faultless = new WeakSet<Config>();

function problemsOfLayers(config: Config): readonly Diagnostic[] {
  const made = unmoved(config);
  if (faultless.has(made)) return [];
  const found = configProblems(config);
  if (found.length === 0) faultless.add(made);
  return found;
}
