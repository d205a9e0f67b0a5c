import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { isFile, readBytes, readText, realPath } from '../data/index.js';
import { runFiles } from './run-folder.js';
import type { Maker } from './artifacts.js';

/** What a command is about to write. */
export interface Planned {
  readonly folder: string;
  readonly maker: Maker;
  /** By name in the folder; undefined where the content isn't known yet. */
  readonly files: ReadonlyMap<string, string | Uint8Array | undefined>;
  /** What the command reads: never replaced by something else, whoever wrote it. */
  readonly inputs: readonly string[];
}

/** Names of the artifacts that a conversion or an allocation writes beside its model file. */
export const artifactNames = ['weights.safetensors', 'network.ir', 'network.json', 'infer.onnx', 'manifest.json'];

/**
 * Refuses to replace what the command didn't write itself, as it wrote it: a trained network, a model file of the
 * user's, a generated one that was edited since. `manifest.json` in the folder records who wrote it, and hashes.
 */
export function refuseToReplace({ folder, maker, files, inputs }: Planned): void {
  const read = new Set(inputs.map((path) => realPath(path)));
  const record = recordOf(folder, maker, [...files.keys()]);
  const lost = [...files].filter(([name, content]) => {
    const path = join(folder, name);
    if (!isFile(path)) return false;
    const hash = hashOf(readBytes(path));
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
  const { made_by, sources, files } = (manifest ?? {}) as Readonly<Record<string, object | undefined>>;
  if (typeof files !== 'object') return undefined;
  const hashes = { ...sources, ...files } as Readonly<Record<string, string>>;
  if (made_by !== undefined) return (made_by as unknown) === maker ? { hashes } : undefined;
  const line = `// Made by spikec ${maker}`;
  const models = names.filter((name) => name.endsWith('.spike') && isFile(join(folder, name)));
  const said = models.some((name) => readText(join(folder, name)).includes(line));
  // such a model file may have been trained since
  return said && !isFile(join(folder, runFiles.checkpoint)) ? { hashes, line } : undefined;
}

function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
