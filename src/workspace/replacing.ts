import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { finishWrites, hashOf, hashOfFile, isFile, readText, realPath } from '../data/index.js';
import { runFiles } from './run-folder.js';
import type { Maker } from './artifacts.js';

/** What a command is about to write. */
export interface Planned {
  readonly folder: string;
  readonly maker: Maker;
  /** What it makes, by name in the folder; undefined where the content isn't known yet. */
  readonly files: ReadonlyMap<string, FileContent | undefined>;
  /** Files of the user's that it puts beside them: none may have the name of one that it makes. */
  readonly copies?: ReadonlyMap<string, FileContent>;
  /** What the command reads: never replaced by something else, whoever wrote it. */
  readonly inputs: readonly string[];
}

/** Names of the artifacts that a conversion or an allocation writes beside its model file. */
export const artifactNames = ['weights.safetensors', 'network.ir', 'network.json', 'infer.onnx', 'manifest.json'];

/**
 * Refuses to replace what the command didn't write itself, as it wrote it: a trained network, a model file of the
 * user's, a generated one that was edited since. `manifest.json` in the folder records who wrote it, and hashes.
 */
export function refuseToReplace({ folder, maker, files, copies = new Map(), inputs }: Planned): void {
  refuseTakenNames(files, copies);
  finishWrites(folder);
  const planned = new Map([...files, ...copies]);
  const read = new Set(inputs.map((path) => realPath(path)));
  const record = recordOf(folder, maker, [...planned.keys()]);
  const lost = [...planned].filter(([name, content]) => {
    const path = join(folder, name);
    if (!isFile(path)) return false;
    const hash = hashOfFile(path);
    if (content !== undefined && hashOf(content) === hash) return false;
    if (read.has(realPath(path))) return true;
    return !(name === 'manifest.json' ? record !== undefined : isRecorded(record, path, name, hash));
  });
  const [first] = lost;
  if (first === undefined) return;
  fail('file/would-replace', { path: join(folder, first[0]), more: lost.length - 1, command: maker }, undefined, {
    help: 'name another folder with `-o`, or move what is there away',
  });
}

function refuseTakenNames(made: ReadonlyMap<string, unknown>, copies: ReadonlyMap<string, unknown>): void {
  const taken = new Set([...made.keys()].map((name) => name.toLowerCase()));
  const name = [...copies.keys()].find((copy) => taken.has(copy.toLowerCase()));
  if (name === undefined) return;
  const help = 'rename the file; for external data, save the ONNX file again with another location';
  fail('file/name-taken', { name }, undefined, { help });
}

/** Files of a folder, by hash, that the command wrote earlier, that are unchanged, and that it doesn't write now. */
export function stillRecorded(
  folder: string,
  maker: Maker,
  writes: ReadonlyMap<string, unknown>,
): Readonly<Record<string, string>> {
  const hashes = recordOf(folder, maker, [])?.hashes ?? {};
  return Object.fromEntries(
    Object.entries(hashes).filter(([name, hash]) => {
      const path = join(folder, name);
      return !writes.has(name) && isFile(path) && hashOfFile(path) === hash;
    }),
  );
}

interface ManifestRecord {
  readonly hashes: Readonly<Record<string, string>>;
  /** From before manifests named the command: a model file says so itself. */
  readonly line?: string;
}

function isRecorded(record: ManifestRecord | undefined, path: string, name: string, hash: string): boolean {
  if (record === undefined) return false;
  if (record.hashes[name] === hash) return true;
  return record.line !== undefined && name.endsWith('.spike') && readText(path).includes(record.line);
}

function recordOf(folder: string, maker: Maker, names: readonly string[]): ManifestRecord | undefined {
  const path = join(folder, 'manifest.json');
  if (!isFile(path)) return undefined;
  let manifest: unknown;
  try {
    manifest = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const { made_by, sources, files, earlier } = (manifest ?? {}) as Readonly<Record<string, object | undefined>>;
  if (typeof files !== 'object') return undefined;
  // a source has the name of the file that was read, which may lie elsewhere: `compile` copies none
  const copied = maker === 'compile' ? {} : sources;
  const hashes = { ...copied, ...earlier, ...files } as Readonly<Record<string, string>>;
  if (made_by !== undefined) return (made_by as unknown) === maker ? { hashes } : undefined;
  const line = `// Made by spikec ${maker}`;
  const models = names.filter((name) => name.endsWith('.spike') && isFile(join(folder, name)));
  const said = models.some((name) => readText(join(folder, name)).includes(line));
  // such a model file may have been trained since
  return said && !isFile(join(folder, runFiles.checkpoint)) ? { hashes, line } : undefined;
}
