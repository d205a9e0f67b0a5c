import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitsBits, packCodes, packedLength, unpackCodes } from '../../src/base/packing.js';

const codesOfBits = fc.integer({ min: 1, max: 16 }).chain((bits) => {
  const code = bits === 1 ? fc.constantFrom(-1, 1) : fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
  return fc.tuple(fc.constant(bits), fc.array(code, { maxLength: 40 }));
});

it('packed codes fill ⌈count·bits/8⌉ bytes and read back as they were', () => {
  fc.assert(
    fc.property(codesOfBits, ([bits, codes]) => {
      const bytes = packCodes(codes, bits);
      expect(bytes.length).toBe(Math.ceil((codes.length * bits) / 8));
      expect([...unpackCodes(bytes, bits, codes.length)!]).toEqual(codes);
    }),
    { numRuns: 300 },
  );
});

it('the lowest bit comes first, a code q is stored as q + 2^(B−1)', () => {
  // 4 bits: −8 → 0, 7 → 15, 1 → 9
  expect([...packCodes([-8, 7, 1], 4)]).toEqual([0xf0, 0x09]);
  // 1 bit: 1, −1, 1, 1 → 0b1101
  expect([...packCodes([1, -1, 1, 1], 1)]).toEqual([0b1101]);
  // 3 bits across bytes: 3 → 7, −4 → 0, 1 → 5: 101 000 111
  expect([...packCodes([3, -4, 1], 3)]).toEqual([0b01000111, 0b1]);
});

it('bytes that are not so many codes are refused', () => {
  expect(unpackCodes(Uint8Array.of(1, 2), 4, 3)).toBeDefined();
  expect(unpackCodes(Uint8Array.of(1), 4, 3)).toBeUndefined();
  // bits left over must be 0
  expect(unpackCodes(Uint8Array.of(1, 0x12), 4, 3)).toBeUndefined();
  expect(packedLength(3, 4)).toBe(2);
});

it('codes out of range do not fit', () => {
  expect(fitsBits([-8, 7], 4)).toBe(true);
  expect(fitsBits([8], 4)).toBe(false);
  expect(fitsBits([0], 1)).toBe(false);
  expect(fitsBits([0.5], 4)).toBe(false);
  expect(() => packCodes([8], 4)).toThrow(TypeError);
});
