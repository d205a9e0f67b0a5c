import { cpSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { decodeSafetensors } from '../../src/base/safetensors.js';

type Fs = typeof import('node:fs');

/** What stands for `kill -9` in a test: no code of ours expects it. */
export class Killed extends Error {}

/** Counts what changes the disk, and stops for ever at one such call. */
export interface Killer {
  /** Calls since {@link restart}. */
  calls: number;
  /** The call that isn't made any more, from 1; 0 for none. */
  at: number;
  dead: boolean;
  /** Sees the disk as a kill at this call would leave it. */
  before?: ((call: number) => void) | undefined;
}

export function restart(killer: Killer, at = 0): void {
  Object.assign(killer, { calls: 0, at, dead: false, before: undefined });
}

/**
 * Does `work` on the folder `out`, and copies what a kill before each of its calls would leave there; gives the copies in the
 * order of the calls. Where there is no folder yet there is no copy.
 */
export async function leftByKills(killer: Killer, out: string, work: () => Promise<unknown>): Promise<string[]> {
  restart(killer);
  const copies: string[] = [];
  killer.before = (call) => {
    const copy = `${out}.killed${call}`;
    copies.push(copy);
    if (existsSync(out)) cpSync(out, copy, { recursive: true });
  };
  try {
    await work();
  } finally {
    restart(killer);
  }
  return copies;
}

/** `node:fs` in which the killer stands in front of each write, rename, deletion and new folder. */
export function withKiller(fs: Fs, killer: Killer): Fs {
  const step = (): void => {
    killer.calls++;
    if (!killer.dead) killer.before?.(killer.calls);
    if (killer.calls === killer.at) killer.dead = true;
    if (killer.dead) throw new Killed(`killed before call ${killer.calls}`);
  };
  const guarded = <A extends readonly unknown[], R>(call: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      step();
      return call(...args);
    };
  };
  return {
    ...fs,
    renameSync: guarded(fs.renameSync),
    mkdirSync: guarded(fs.mkdirSync as (...args: unknown[]) => unknown) as Fs['mkdirSync'],
    rmSync: guarded(fs.rmSync),
    linkSync: guarded(fs.linkSync),
    // the system's own memory outlives a process
    fsyncSync: () => undefined,
    openSync: (path, flags, mode) => {
      if (flags === 'wx') step();
      return fs.openSync(path, flags, mode);
    },
    // one that is killed in the middle has written the first half
    writeSync: ((descriptor: number, bytes: Uint8Array, from: number, length: number) => {
      const stops = killer.before !== undefined || killer.calls + 1 === killer.at;
      const half = stops && !killer.dead ? fs.writeSync(descriptor, bytes, from, length >> 1) : 0;
      step();
      return half + fs.writeSync(descriptor, bytes, from + half, length - half);
    }) as Fs['writeSync'],
  };
}

/** All files of a folder by name, with what differs from run to run taken out: how long epochs took. */
export function filesOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
      .map((name) => [name, contentOf(join(folder, name))]),
  );
}

function contentOf(path: string): string {
  const bytes = readFileSync(path);
  const timeless = (text: string): string => text.replaceAll(/"seconds":[\d.e-]+/g, '');
  if (path.endsWith('log.jsonl')) return timeless(bytes.toString());
  if (path.endsWith('log.csv')) return withoutColumn(bytes.toString(), 'seconds');
  // numbers of the log at times that the machine took
  if (path.includes('events.out.')) return '';
  if (!path.endsWith('checkpoint/state.safetensors')) return bytes.toString('base64');
  const { tensors, metadata } = decodeSafetensors(bytes, path).value!;
  const states = [...tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, Array.from(data)]);
  return JSON.stringify([states, timeless(metadata['progress']!)]);
}

function withoutColumn(table: string, name: string): string {
  const rows = table.split('\n').map((row) => row.split(','));
  const column = rows[0]!.indexOf(name);
  return rows.map((row) => row.filter((_, i) => i !== column).join(',')).join('\n');
}
