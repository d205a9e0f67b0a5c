import { codeBounds } from './quantiser.js';

/** Whether all codes are codes of B bits: −2^(B−1) … 2^(B−1) − 1; of one bit −1 and 1. */
export function fitsBits(codes: ArrayLike<number>, bits: number): boolean {
  const { lo, hi } = codeBounds(bits, true);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (!Number.isInteger(code) || (bits === 1 ? code !== 1 && code !== -1 : code < lo || code > hi)) return false;
  }
  return true;
}

/** Bytes that so many codes fill. */
export function packedLength(count: number, bits: number): number {
  return Math.ceil((count * bits) / 8);
}

/**
 * Signed codes of B bits (1 … 16) in a row of bits, the first code and of each code the lowest bit first: bit k of the
 * row is bit k mod 8 of byte k div 8. A code q is stored as q + 2^(B−1), of one bit −1 as 0 and 1 as 1. What is left of
 * the last byte is 0.
 */
export function packCodes(codes: ArrayLike<number>, bits: number): Uint8Array<ArrayBuffer> {
  if (!fitsBits(codes, bits)) throw new TypeError(`packCodes: a code doesn't fit into ${bits} bits`);
  const bytes = new Uint8Array(packedLength(codes.length, bits));
  let held = 0;
  let width = 0;
  let at = 0;
  const least = 2 ** (bits - 1);
  for (let i = 0; i < codes.length; i++) {
    held |= (bits === 1 ? (codes[i]! + 1) / 2 : codes[i]! + least) << width;
    width += bits;
    for (; width >= 8; width -= 8, held >>>= 8) bytes[at++] = held & 255;
  }
  if (width > 0) bytes[at] = held;
  return bytes;
}

/** The inverse of {@link packCodes}; undefined where the bytes aren't so many codes of B bits. */
export function unpackCodes(bytes: Uint8Array, bits: number, count: number): Int32Array<ArrayBuffer> | undefined {
  if (bytes.length !== packedLength(count, bits)) return undefined;
  const codes = new Int32Array(count);
  const mask = 2 ** bits - 1;
  const least = 2 ** (bits - 1);
  let held = 0;
  let width = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (; width < bits; width += 8) held |= bytes[at++]! << width;
    const value = held & mask;
    codes[i] = bits === 1 ? 2 * value - 1 : value - least;
    held >>>= bits;
    width -= bits;
  }
  return held === 0 ? codes : undefined;
}
