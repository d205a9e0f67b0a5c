import { dirname } from 'node:path';
import type { InputShape } from '../base/input-shape.js';
import { DiagnosticError } from '../base/diagnostics/index.js';
import { finishWrites, readBytes } from '../data/index.js';
import { type ImportOptions, type ImportedNetwork, importOnnx, withPartitions } from '../frontends/onnx/index.js';
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
  /** Sizes of inputs that were said. */
  readonly inputShapes?: readonly InputShape[];
}

/** Bytes of the file and of its external data. */
export function bytesOf({ bytes, external }: Source): number {
  return [...external.values()].reduce((sum, { length }) => sum + length, bytes.length);
}

/** Imports an ONNX file, of several outputs one where that is named, its input's integers and sizes as they are said. */
export function importFile(
  path: string,
  findings: Findings,
  { output, inputCodes, inputShapes }: Omit<ImportOptions, 'readExternal'> = {},
): Source {
  finishWrites(dirname(path));
  const bytes = wholeOf(path, readBytes(path), findings);
  const external = new Map<string, Uint8Array>();
  const imported = findings.take(
    importOnnx(
      { name: path, bytes },
      {
        readExternal: externalReader(path, external),
        ...(output === undefined ? {} : { output }),
        ...(inputCodes === undefined ? {} : { inputCodes }),
        ...(inputShapes === undefined ? {} : { inputShapes }),
      },
    ),
  );
  return { path, bytes, imported, external, ...(inputShapes === undefined ? {} : { inputShapes }) };
}

/** The file with its partitions in it, which lie beside it. */
function wholeOf(path: string, bytes: Uint8Array<ArrayBuffer>, findings: Findings): Uint8Array<ArrayBuffer> {
  const whole = withPartitions(path, bytes, externalReader(path, new Map()));
  return whole === undefined ? bytes : findings.take(whole);
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
