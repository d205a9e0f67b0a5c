import { suggest } from '../base/did-you-mean.js';
import { type Outcome, diagnostic } from '../base/diagnostics/index.js';
import type { Target } from './types.js';

/** The configuration that a target names, or the only one there is. */
export function chooseConfig<C extends { readonly name: string }>(target: Target, configs: readonly C[]): Outcome<C> {
  const names = configs.map((c) => c.name);
  const list = names.map((name) => `${target.path}#${name}`).join(', ');
  if (target.config === undefined) {
    const [only, ...others] = configs;
    if (only !== undefined && others.length === 0) return { value: only, diagnostics: [] };
    if (only === undefined) return { diagnostics: [diagnostic('cli/no-config', { file: target.path })] };
    return {
      diagnostics: [diagnostic('cli/which-config', { file: target.path }, undefined, { help: `name one: ${list}` })],
    };
  }
  const found = configs.find((c) => c.name === target.config);
  if (found !== undefined) return { value: found, diagnostics: [] };
  const help = suggest(target.config, names);
  return {
    diagnostics: [diagnostic('cli/unknown-config', { file: target.path, config: target.config }, undefined, { help })],
  };
}
