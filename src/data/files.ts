import {
  type Stats,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fail } from '../base/diagnostics/index.js';

/** Read at most this many bytes of a text, unless a caller says otherwise. */
export const textLimit = 16 * 2 ** 20;
/** Read at most this many bytes of a binary file, unless a caller says otherwise: protobuf's own limit. */
export const binaryLimit = 2 ** 31 - 1;

export interface ReadOptions {
  /** Largest accepted size in bytes. */
  readonly limit?: number;
}

/** Whether there is a regular file. */
export function isFile(path: string | URL): boolean {
  return statsOf(path)?.isFile() ?? false;
}

export function isFolder(path: string): boolean {
  return statsOf(path)?.isDirectory() ?? false;
}

/** Undefined where nothing is there or can be looked at: below a file, behind a closed folder, by too long a name. */
function statsOf(path: string | URL): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}

/** The path with all links followed, or nothing where it leads nowhere. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

interface SystemError {
  readonly code: string;
  readonly message: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
}

/** `ENOSPC: no space left on device, write` without the code and the call. */
function reasonOf(error: SystemError): string {
  return /^[A-Z0-9]+: ([^,]*)/.exec(error.message)?.[1] ?? error.message;
}

function failReading(error: unknown, path: string): never {
  if (!isSystemError(error)) throw error;
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('file/missing', { path });
    case 'EISDIR':
      return fail('file/is-directory', { path });
    case 'EACCES':
    case 'EPERM':
      return fail('file/no-permission', { path, access: 'read' });
    default:
      return fail('file/read-failed', { path, reason: reasonOf(error) });
  }
}

function failWriting(error: unknown, path: string): never {
  if (!isSystemError(error)) throw error;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return fail('file/no-permission', { path, access: 'write' });
  }
  return fail('file/write-failed', { path, reason: reasonOf(error) });
}

/** A regular file, open for reading by offset. */
export class FileReader {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    try {
      // A named pipe would block the open for ever without O_NONBLOCK.
      this.#descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      failReading(error, path);
    }
    const stat = fstatSync(this.#descriptor);
    if (!stat.isFile()) {
      this.close();
      if (stat.isDirectory()) fail('file/is-directory', { path });
      fail('file/not-a-file', { path });
    }
    this.size = stat.size;
  }

  /** The bytes `[start, start + length)`; fewer where the file ends. */
  read(start: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - start)));
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const count = readSync(
          this.#descriptor,
          bytes,
          filled,
          Math.min(bytes.length - filled, 2 ** 30),
          start + filled,
        );
        if (count === 0) return bytes.subarray(0, filled);
        filled += count;
      }
    } catch (error) {
      failReading(error, this.path);
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The whole content of a file. Throws a diagnostic when it is missing, not a file, unreadable or larger than the limit. */
export function readBytes(path: string, options: ReadOptions = {}): Uint8Array<ArrayBuffer> {
  const file = new FileReader(path);
  try {
    const limit = options.limit ?? binaryLimit;
    if (file.size > limit) fail('file/too-large', { path, size: file.size, limit });
    return file.read(0, file.size);
  } finally {
    file.close();
  }
}

/** The whole content of a UTF-8 text file, without its byte order mark. */
export function readText(path: string, options: ReadOptions = {}): string {
  const bytes = readBytes(path, { limit: options.limit ?? textLimit });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const help = path.toLowerCase().endsWith('.onnx')
      ? `an ONNX file becomes a network by \`spikec convert\`, or by \`network onnx("…")\` in a model file`
      : undefined;
    return fail('file/not-text', { path }, undefined, { help });
  }
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
