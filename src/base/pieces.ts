import type { Tensor } from './dtype.js';
import { byteWidth, elementCount } from './dtype.js';
import { eachPiece, isLazy } from './lazy-tensor.js';

/** Bytes that aren't in memory together: they are made piece by piece, anew whenever they are gone through. */
export interface Pieces {
  readonly byteLength: number;
  /** A piece is to be used before the next is asked for. */
  readonly each: () => Iterable<Uint8Array>;
}

/** What a file may be written from. */
export type FileContent = string | Uint8Array | Pieces;

/** Whatever a content is made of, in pieces. */
export function piecesOf(content: FileContent): Iterable<Uint8Array> {
  if (typeof content === 'string') return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content.each();
}

/** All bytes in one array. */
export function joined(content: Uint8Array | Pieces): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(content.byteLength);
  let at = 0;
  for (const piece of piecesOf(content)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Contents one behind the other. */
export function inARow(parts: readonly (Uint8Array | Pieces)[]): Pieces {
  return {
    byteLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    *each() {
      for (const part of parts) yield* piecesOf(part);
    },
  };
}

/** A tensor's elements as they lie in memory: a view, of a lazy tensor piece by piece. */
export function tensorBytes(tensor: Tensor): Uint8Array | Pieces {
  const bytes = (data: Tensor['data']): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (!isLazy(tensor)) return bytes(tensor.data);
  return {
    byteLength: elementCount(tensor.shape) * byteWidth[tensor.dtype],
    *each() {
      for (const [piece] of eachPiece(tensor)) yield bytes(piece);
    },
  };
}
