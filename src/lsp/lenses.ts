import type { CodeLens } from 'vscode-languageserver';
import { compiledConfig } from './compiled.js';
import { rangeOf } from './positions.js';
import type { Analysis } from './project.js';
import { count } from './text.js';

/** What a lens runs: the command line's command with these arguments, in a terminal of the editor. */
export interface LensArguments {
  readonly uri: string;
  readonly config: string;
  /** The config to compare with. */
  readonly base?: string;
}

/** Above every config: what it costs, and the commands for it. */
export function lensesOf({ source, model, index }: Analysis, uri: string): CodeLens[] {
  const declarations = index?.asts.get(source.name)?.declarations ?? [];
  return declarations.flatMap((declaration): CodeLens[] => {
    if (declaration.kind !== 'config') return [];
    const { text: name, span } = declaration.name;
    const config = model?.configs.get(name);
    if (config === undefined) return [];
    const base = declaration.base?.text;
    const lens = (title: string, command: string, more: Partial<LensArguments> = {}): CodeLens => {
      const args: LensArguments = { uri, config: name, ...more };
      return { range: rangeOf(span), command: { title, command: `spikec.${command}`, arguments: [args] } };
    };
    return [
      // what it says takes work: see costLens
      { range: rangeOf(span), data: { uri, config: name } satisfies LensArguments },
      ...(base === undefined ? [] : [lens(`diff with ${base}`, 'diff', { base })]),
      ...(config.train === undefined ? [] : [lens('train', 'train')]),
      lens('report', 'report'),
    ];
  });
}

/** The lens that says what a config costs, once it is seen. */
export function costLens(lens: CodeLens, { model }: Analysis): CodeLens {
  const args = lens.data as LensArguments;
  const config = model?.configs.get(args.config);
  const cost = config && compiledConfig(config)?.cost.total;
  const title =
    cost === undefined
      ? 'cost'
      : `${count(cost.params)} parameters · ${count(cost.macs)} MACs · S-ACE ${count(cost.s_ace)}`;
  return { ...lens, command: { title, command: 'spikec.cost', arguments: [args] } };
}
