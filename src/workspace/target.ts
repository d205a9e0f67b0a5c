import { dirname } from 'node:path';
import { DiagnosticError } from '../base/diagnostics/index.js';
import { finishWrites, readBytes } from '../data/index.js';
import { type ImportOptions, type ImportedNetwork, importOnnx } from '../frontends/onnx/index.js';
import type { Config } from '../model/index.js';
import { notLowered, trainProblems } from './conversion-rules.js';
import { externalReader } from './files.js';
import type { Findings } from './findings.js';
import { bitPatternProblems } from './import-bits.js';

/** An ONNX file, imported. */
export interface Source {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imported: ImportedNetwork;
  /** External data files it uses, by location. */
  readonly external: ReadonlyMap<string, Uint8Array>;
}

/** Bytes of the file and of its external data. */
export function bytesOf({ bytes, external }: Source): number {
  return [...external.values()].reduce((sum, { length }) => sum + length, bytes.length);
}

/** Imports an ONNX file, of several outputs one where that is named, its input's integers as they are said. */
export function importFile(
  path: string,
  findings: Findings,
  { output, inputCodes }: Pick<ImportOptions, 'output' | 'inputCodes'> = {},
): Source {
  finishWrites(dirname(path));
  const bytes = readBytes(path);
  const external = new Map<string, Uint8Array>();
  const imported = findings.take(
    importOnnx(
      { name: path, bytes },
      {
        readExternal: externalReader(path, external),
        ...(output === undefined ? {} : { output }),
        ...(inputCodes === undefined ? {} : { inputCodes }),
      },
    ),
  );
  return { path, bytes, imported, external };
}

/** The config's network where it comes from an ONNX file. */
export function sourceOf(config: Config, findings: Findings): Source {
  if (config.network.kind === 'onnx') {
    findings.take({ value: true, diagnostics: trainProblems(config) });
    const source = importFile(config.network.resolved, findings, config.network);
    findings.take({ value: source, diagnostics: bitPatternProblems(config, source.imported.network) });
    return source;
  }
  throw new DiagnosticError(notLowered('a network of layers', config.network.place));
}
