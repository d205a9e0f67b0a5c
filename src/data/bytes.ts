import { gunzipSync } from 'node:zlib';
import { fail } from '../base/diagnostics/index.js';
import { FileReader } from './files.js';

/** Bytes that can be read by offset without holding all of them: a file, a part of one, or unpacked data. */
export interface ByteSource {
  /** The file, for diagnostics. */
  readonly path: string;
  readonly size: number;
  read(start: number, length: number): Uint8Array<ArrayBuffer>;
  close(): void;
}

/** Unpack at most this many bytes into memory. */
export const unpackLimit = 2 ** 30;

export function memorySource(path: string, bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return {
    path,
    size: bytes.length,
    read: (start, length) => bytes.subarray(start, Math.max(start, start + length)),
    close: () => undefined,
  };
}

/** The bytes `[start, start + size)` of another source; closing it closes nothing. */
export function partOf(source: ByteSource, start: number, size: number): ByteSource {
  return {
    path: source.path,
    size,
    read: (from, length) => source.read(start + from, Math.max(0, Math.min(length, size - from))),
    close: () => undefined,
  };
}

/** A file as it is, or unpacked in memory when it is gzip (whatever its name says). */
export function openSource(path: string, limit = unpackLimit): ByteSource {
  const file = new FileReader(path);
  const [first, second] = file.read(0, 2);
  if (first !== 0x1f || second !== 0x8b) return file;
  try {
    if (file.size > limit) failTooLarge(path, limit, onDisk(path));
    return memorySource(path, gunzip(file.read(0, file.size), path, limit));
  } finally {
    file.close();
  }
}

function gunzip(bytes: Uint8Array, path: string, limit: number): Uint8Array<ArrayBuffer> {
  try {
    // one piece for all of it, as large as the end of the file says: several would be put together, in twice the memory
    const said = bytes.length < 18 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
    const chunkSize = Math.max(2 ** 20, Math.min(said, limit) + 1);
    const unpacked = gunzipSync(bytes, { maxOutputLength: limit, chunkSize });
    return new Uint8Array(unpacked.buffer as ArrayBuffer, unpacked.byteOffset, unpacked.length);
  } catch (error) {
    if (isTooLarge(error)) return failTooLarge(path, limit, onDisk(path));
    return failUnpacking(error, path);
  }
}

/** What goes past the limit: files that aren't packed are read from the disk batch by batch. */
export function failTooLarge(file: string, limit: number, help: string): never {
  return fail('data/unpacked-too-large', { file, limit }, undefined, { help });
}

function onDisk(path: string): string {
  return `unpack it first: gunzip ${path}; plain files are read batch by batch`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error ? (error as { code?: unknown }).code : undefined;
}

/** Whether zlib stopped because the output exceeds the limit it was given. */
export function isTooLarge(error: unknown): boolean {
  return codeOf(error) === 'ERR_BUFFER_TOO_LARGE';
}

/** Turns an error of zlib about its input into a diagnostic. */
export function failUnpacking(error: unknown, path: string): never {
  const code = codeOf(error);
  if (error instanceof Error && typeof code === 'string' && code.startsWith('Z_')) {
    return fail('data/bad-gzip', { file: path, reason: error.message });
  }
  throw error;
}
