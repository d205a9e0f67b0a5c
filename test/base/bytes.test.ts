import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { zlibDeflate } from '../../src/base/deflate.js';
import { sha256 } from '../../src/base/sha256.js';
import { base64, hex } from '../../src/base/text-bytes.js';

const bytes = fc.uint8Array({ maxLength: 300 });
/** Bytes that repeat themselves, near and far. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 400 })), { maxLength: 12 })
  .map((parts) =>
    Uint8Array.from(parts.flatMap(([part, times]) => Array.from({ length: times }, () => [...part]).flat())),
  );

it('SHA-256 is that of Node, at every length around a block', () => {
  expect(hex(sha256(new TextEncoder().encode('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  const check = (data: Uint8Array): void => {
    expect(hex(sha256(data))).toBe(createHash('sha256').update(data).digest('hex'));
  };
  for (let length = 0; length < 140; length++) check(new Uint8Array(length).fill(length));
  fc.assert(fc.property(bytes, check));
});

it('base64 and hexadecimal digits are those of Node', () => {
  fc.assert(
    fc.property(bytes, (data) => {
      expect(base64(data)).toBe(Buffer.from(data).toString('base64'));
      expect(hex(data)).toBe(Buffer.from(data).toString('hex'));
    }),
  );
});

it('what zlib unpacks is what was packed, whatever repeats in it', () => {
  const check = (data: Uint8Array): void => {
    expect(inflateSync(zlibDeflate(data)).equals(data)).toBe(true);
  };
  fc.assert(fc.property(fc.oneof(bytes, repetitive), check), { numRuns: 300 });
  // matches as long and as far as they come
  const far = new Uint8Array(70_000);
  far.set([1, 2, 3, 4, 5], 0);
  far.set([1, 2, 3, 4, 5], 32_768);
  far.set([1, 2, 3, 4, 5], 69_000);
  check(far);
  check(Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3));
});

it('pictures, which repeat themselves, get small', () => {
  const rows = Uint8Array.from({ length: 28 * 28 }, (_, i) => (i % 28 < 14 ? 0 : 255));
  expect(zlibDeflate(rows).length).toBeLessThan(40);
});
