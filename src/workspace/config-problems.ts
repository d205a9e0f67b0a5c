import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { configProblems } from '../lower/model-to-network/index.js';
import type { Config } from '../model/index.js';
import { conversionProblems } from './conversion-rules.js';

/** What keeps a config from being compiled, by the rules that compiling it goes by. `exists` asks for files by their path. */
export function problemsOf(config: Config, exists: (path: string) => boolean): readonly Diagnostic[] {
  const { network } = config;
  if (network.kind === 'network') return configProblems(config);
  const missing = exists(network.resolved)
    ? []
    : [diagnostic('file/missing', { path: network.resolved }, network.place)];
  return [...missing, ...conversionProblems(config)];
}
