import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a program is compiled, and where Zig keeps its parts of the C library. */
export interface Folders {
  readonly work: string;
  readonly zig: string;
  /** Where compiled programs are kept; nowhere, where nothing can be. */
  readonly kept?: string;
}

function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  if (base !== undefined && base !== '') return join(base, 'spikec');
  const home = homedir();
  return home === '' ? join(tmpdir(), 'spikec') : join(home, '.cache', 'spikec');
}

/** Where compiled programs are kept from one run to the next. */
export function keptFolder(): string {
  return join(cacheFolder(), 'native');
}

/** Runs `job` with a folder of its own, which lies beside the kept programs or, where nothing can be kept, in a temporary place. */
export async function withWorkFolder<T>(job: (folders: Folders) => Promise<T>): Promise<T> {
  const folders = await makeFolders();
  try {
    return await job(folders);
  } finally {
    await rm(folders.work, { recursive: true, force: true });
  }
}

async function makeFolders(): Promise<Folders> {
  const kept = keptFolder();
  try {
    await mkdir(kept, { recursive: true, mode: 0o700 });
    return { work: await mkdtemp(join(kept, 'work-')), zig: join(cacheFolder(), 'zig'), kept };
  } catch {
    const work = await mkdtemp(join(tmpdir(), 'spikec-native-'));
    return { work, zig: join(work, 'zig') };
  }
}
