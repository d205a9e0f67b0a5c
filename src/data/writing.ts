import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { fail } from '../base/diagnostics/index.js';
import { type FileContent, piecesOf } from '../base/pieces.js';
import { isFolder, isSystemError, reasonOf } from './files.js';
import { runs } from './processes.js';

export function failWriting(error: unknown, path: string): never {
  if (!isSystemError(error)) throw error;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return fail('file/no-permission', { path, access: 'write' });
  }
  return fail('file/write-failed', { path, reason: reasonOf(error) });
}

/** A new content on the disk, beside the place that it will take. */
export interface Staged {
  readonly path: string;
  readonly temporary: string;
}

const temporaryPattern = /^(.+)\.(\d+)-(\d+)-\d+\.spikec\.tmp$/;
let made = 0;

/** The name of the file whose place a temporary one will take; nothing for other files. */
export function nameOfStaged(temporary: string): string | undefined {
  return temporaryPattern.exec(temporary)?.[1];
}

function temporaryName(path: string): string {
  for (;;) {
    const candidate = `${path}.${process.pid}-${threadId}-${made++}.spikec.tmp`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** Deletes what killed processes had staged in a folder and never moved: of one file, or of all. */
export function sweep(folder: string, name?: string): void {
  for (const found of readdirSync(folder)) {
    const [, stem, pid, thread] = temporaryPattern.exec(found) ?? [];
    if (stem === undefined || (name !== undefined && stem !== name)) continue;
    // a thread's own writes end before it does anything else
    const gone = Number(pid) === process.pid ? Number(thread) === threadId : !runs(Number(pid));
    if (gone) discard(join(folder, found));
  }
}

/** Writes and syncs `content` to a new file beside `path`. On failure nothing stays. */
export function stage(path: string, content: FileContent): Staged {
  const temporary = temporaryName(path);
  const descriptor = openNew(temporary, path);
  try {
    for (const bytes of piecesOf(content)) {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(descriptor, bytes, written, Math.min(bytes.length - written, 2 ** 30));
      }
    }
    fsyncSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    discard(temporary);
    return failWriting(error, path);
  }
  closeSync(descriptor);
  return { path, temporary };
}

function openNew(temporary: string, path: string): number {
  try {
    return openSync(temporary, 'wx', modeOf(path));
  } catch (error) {
    return failWriting(error, path);
  }
}

/** A replaced file keeps its mode. */
function modeOf(path: string): number {
  return existsSync(path) ? statSync(path).mode & 0o777 : 0o666;
}

/** Where a write to `path` really goes: a symbolic link stays a link. No file takes the place of a folder. */
export function targetOf(path: string): string {
  if (isFolder(path)) fail('file/write-failed', { path, reason: 'it is a folder' });
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

export function discard(temporary: string): void {
  rmSync(temporary, { force: true });
}

/** Lets a new content take its place. */
export function move({ temporary, path }: Staged): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    failWriting(error, path);
  }
}

/** So that renames outlast a loss of power; not every system can. */
export function syncFolder(path: string): void {
  try {
    const descriptor = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** One level after the other: `recursive` calls a read-only file system a missing file. */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // made by somebody else in the meantime
    if (!isFolder(path)) failWriting(error, path);
  }
}

/**
 * Puts `content` at `path` whole or not at all: written beside it, synced, renamed. Missing folders are
 * made. On any failure the old file stays as it was and nothing is left over; and since the write is
 * synchronous, a signal that the process handles comes before or after it.
 */
export function writeFile(path: string, content: FileContent): void {
  makeFolder(dirname(resolve(path)));
  const target = targetOf(path);
  sweep(dirname(target), basename(target));
  const staged = stage(target, content);
  try {
    move(staged);
  } catch (error) {
    discard(staged.temporary);
    throw error;
  }
  syncFolder(dirname(target));
}

/** Nothing that is there is replaced. */
export function failThere(path: string): never {
  return fail('file/exists', { path }, undefined, { help: 'choose another name or folder, or move the file away' });
}

/**
 * As {@link writeFile}, but for a path where nothing is yet: what is there stays, whoever made it and when. A link to
 * the written file takes the place, which fails where there is one.
 */
export function writeNewFile(path: string, content: FileContent): void {
  makeFolder(dirname(resolve(path)));
  const { temporary } = stage(path, content);
  try {
    placeNew(temporary, path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') failThere(path);
    failWriting(error, path);
  } finally {
    discard(temporary);
  }
}

/** Some file systems have no links. */
function placeNew(temporary: string, path: string): void {
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (!isSystemError(error) || error.code === 'EEXIST') throw error;
    copyFileSync(temporary, path, constants.COPYFILE_EXCL);
  }
}
