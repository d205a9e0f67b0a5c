import { createHash } from 'node:crypto';
import { type FileContent, type Pieces, piecesOf } from '../base/pieces.js';
import { FileReader } from './files.js';

/** Of contents that were hashed before: a folder may be recorded more than once. */
const known = new WeakMap<object, string>();

/** SHA-256 in hexadecimal digits. */
export function hashOf(content: FileContent): string {
  const before = typeof content === 'string' ? undefined : known.get(content);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  for (const piece of piecesOf(content)) hash.update(piece);
  const found = hash.digest('hex');
  if (typeof content !== 'string') known.set(content, found);
  return found;
}

/** Bytes of a file that are in memory at a time. */
const readAtOnce = 2 ** 20;

/** {@link hashOf} of a file's content. */
export function hashOfFile(path: string): string {
  return hashOf(piecesOfFile(path));
}

/** A file's content as it is when it is gone through; little of it is in memory. */
export function piecesOfFile(path: string): Pieces {
  const file = new FileReader(path);
  const byteLength = file.size;
  file.close();
  return {
    byteLength,
    *each() {
      const reading = new FileReader(path);
      try {
        for (let at = 0; at < reading.size; at += readAtOnce) yield reading.read(at, readAtOnce);
      } finally {
        reading.close();
      }
    },
  };
}
