import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { closest } from '../base/did-you-mean.js';
import { readBytes } from '../data/index.js';
import { type ImportedNetwork, importOnnx } from '../frontends/onnx/index.js';
import type { Config, Model } from '../model/index.js';
import { notLowered, trainProblems } from './conversion-rules.js';
import { externalReader } from './files.js';
import type { Findings } from './findings.js';
import { bitPatternProblems } from './import-bits.js';
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

/** An ONNX file, imported. */
export interface Source {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imported: ImportedNetwork;
  /** External data files it uses, by location. */
  readonly external: ReadonlyMap<string, Uint8Array>;
}

/** Imports an ONNX file, of several outputs one where that is named. */
export function importFile(path: string, findings: Findings, output?: string): Source {
  const bytes = readBytes(path);
  const external = new Map<string, Uint8Array>();
  const imported = findings.take(
    importOnnx(
      { name: path, bytes },
      { readExternal: externalReader(path, external), ...(output === undefined ? {} : { output }) },
    ),
  );
  return { path, bytes, imported, external };
}

/** The config's network where it comes from an ONNX file. */
export function sourceOf(config: Config, findings: Findings): Source {
  if (config.network.kind === 'onnx') {
    findings.take({ value: true, diagnostics: trainProblems(config) });
    const source = importFile(config.network.resolved, findings, config.network.output);
    findings.take({ value: source, diagnostics: bitPatternProblems(config, source.imported.network) });
    return source;
  }
  throw new DiagnosticError(notLowered('a network of layers', config.network.place));
}
