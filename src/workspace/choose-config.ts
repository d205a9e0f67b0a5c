import { fail } from '../base/diagnostics/index.js';
import { closest } from '../base/did-you-mean.js';
import type { Config, Model } from '../model/index.js';
import type { Target } from './types.js';

/** The config a target names; a file with a single config needs none named. */
export function chooseConfig(model: Model, { path, config: wanted }: Target): Config {
  const names = [...model.configs.keys()];
  if (wanted !== undefined) {
    const found = model.configs.get(wanted);
    if (found !== undefined) return found;
    fail('cli/unknown-config', { file: path, config: wanted }, { file: path }, { help: configHelp(wanted, names) });
  }
  if (names.length === 0) fail('cli/no-config', { file: path }, { file: path });
  if (names.length > 1)
    fail(
      'cli/which-config',
      { file: path },
      { file: path },
      { help: `it has ${names.join(', ')}: name one, as in ${path}#${names[0]}` },
    );
  return model.configs.get(names[0]!)!;
}

/** The likeliest config, and what there is. */
function configHelp(wanted: string, names: readonly string[]): string {
  if (names.length === 0) return 'it has no configs';
  const near = closest(wanted, names);
  const shown = names.length > 20 ? [...names.slice(0, 20), '…'] : names;
  return `${near === undefined ? '' : `did you mean "${near}"? `}it has ${shown.join(', ')}`;
}
