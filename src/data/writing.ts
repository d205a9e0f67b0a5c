import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { isFolder, isSystemError, reasonOf } from './files.js';

function failWriting(error: unknown, path: string): never {
  if (!isSystemError(error)) throw error;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return fail('file/no-permission', { path, access: 'write' });
  }
  return fail('file/write-failed', { path, reason: reasonOf(error) });
}

function temporaryName(path: string): string {
  for (let attempt = 0; ; attempt++) {
    const candidate = `${path}.${process.pid}${attempt === 0 ? '' : `-${attempt}`}.tmp`;
    if (!existsSync(candidate)) return candidate;
  }
}

/** Writes and syncs `content` to a new file beside `path`, and gives its name. On failure nothing stays. */
function writeTemporary(path: string, content: string | Uint8Array): string {
  const temporary = temporaryName(path);
  const descriptor = openNew(temporary, path);
  try {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    for (let written = 0; written < bytes.length;) {
      written += writeSync(descriptor, bytes, written, Math.min(bytes.length - written, 2 ** 30));
    }
    fsyncSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    discard(temporary);
    return failWriting(error, path);
  }
  closeSync(descriptor);
  return temporary;
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

/** Where a write to `path` really goes: a symbolic link stays a link. */
function finalPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function discard(temporary: string): void {
  rmSync(temporary, { force: true });
}

function commit(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    failWriting(error, path);
  }
}

/** One level after the other: `recursive` calls a read-only file system a missing file. */
function makeFolder(path: string): void {
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
export function writeFile(path: string, content: string | Uint8Array): void {
  makeFolder(dirname(resolve(path)));
  const target = finalPath(path);
  commit(writeTemporary(target, content), target);
}

/**
 * As {@link writeFile}, but for a path where nothing is yet: what is there stays, whoever made it and when. A link to
 * the written file takes the place, which fails where there is one.
 */
export function writeNewFile(path: string, content: string | Uint8Array): void {
  makeFolder(dirname(resolve(path)));
  const temporary = writeTemporary(path, content);
  try {
    placeNew(temporary, path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') fail('file/exists', { path });
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

/**
 * Writes several files of one folder (names may contain `/`): all contents are on the disk before the first
 * file takes its place, so a full disk changes nothing. Files that are not named stay.
 */
export function writeFolder(folder: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  const written: { temporary: string; path: string }[] = [];
  try {
    for (const [name, content] of files) {
      const path = finalPath(join(folder, name));
      makeFolder(dirname(resolve(path)));
      written.push({ temporary: writeTemporary(path, content), path });
    }
    for (const { temporary, path } of written) commit(temporary, path);
  } finally {
    for (const { temporary } of written) discard(temporary);
  }
}
