import { type Stats, closeSync, constants, fstatSync, openSync, readSync, readdirSync, realpathSync, statSync } from 'node:fs';
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

/** Names in a folder, sorted; none where there is no folder. */
export function namesIn(folder: string): readonly string[] {
  return isFolder(folder) ? readdirSync(folder).sort() : [];
}

/** The path with all links followed, or nothing where it leads nowhere. */
export function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

export interface SystemError {
  readonly code: string;
  readonly message: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
}

/** `ENOSPC: no space left on device, write` without the code and the call. */
export function reasonOf(error: SystemError): string {
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

/** The first bytes of a file, `length` of them where it has as many. */
export function headOf(path: string, length: number): Uint8Array<ArrayBuffer> {
  const file = new FileReader(path);
  try {
    return file.read(0, length);
  } finally {
    file.close();
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
