import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestGrid } from '../../src/base/weight-grid.js';

/** Squared error with the nearest of all codes, by looking at each: as one would write it in numpy. */
function error(values: readonly number[], scale: number, codes: readonly number[]): number {
  return values.reduce((sum, w) => sum + Math.min(...codes.map((code) => (w - code * scale) ** 2)), 0);
}

function allCodes(bits: number): number[] {
  if (bits === 1) return [-1, 1];
  return Array.from({ length: 2 ** bits }, (_, i) => i - 2 ** (bits - 1));
}

const weights = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 30 });

it('no scale of a fine scan over both signs has a noticeably smaller squared error', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 5 }), (values, bits) => {
      const { scale, codes } = bestGrid(Float64Array.from(values), bits);
      const found = values.reduce((sum, w, i) => sum + (w - codes[i]! * scale) ** 2, 0);
      const most = Math.max(...values.map(Math.abs));
      const scan = Array.from({ length: 1000 }, (_, i) => ((i + 1) / 500) * most).flatMap((s) => [s, -s]);
      const best = Math.min(...scan.map((s) => error(values, s, allCodes(bits))));
      const energy = values.reduce((sum, w) => sum + w * w, 0);
      expect(found).toBeLessThanOrEqual(1.1 * best + 2e-3 * energy + 1e-12);
    }),
    { numRuns: 100 },
  );
});

it('codes are the nearest to the weights, within the bounds', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 2, max: 8 }), (values, bits) => {
      const { scale, codes } = bestGrid(Float64Array.from(values), bits);
      const near = error(values, scale, allCodes(bits));
      const found = values.reduce((sum, w, i) => sum + (w - codes[i]! * scale) ** 2, 0);
      expect(found).toBeCloseTo(near, 9);
      for (const code of codes) expect(allCodes(bits)).toContain(code);
    }),
  );
});

it('values on a grid come back exactly', () => {
  const { scale, codes } = bestGrid(Float64Array.of(-1, -0.5, 0, 0.5, 0.25), 3);
  expect([...codes].map((code) => code * scale)).toEqual([-1, -0.5, 0, 0.5, 0.25]);
});

it('one bit is the sign times the mean size', () => {
  expect(bestGrid(Float64Array.of(1, -2, 3), 1)).toEqual({ scale: 2, codes: Int32Array.of(1, -1, 1) });
});

it('zeros stay zeros', () => {
  for (const bits of [1, 2, 8]) {
    const { scale, codes } = bestGrid(new Float64Array(3), bits);
    expect([...codes].map((code) => code * scale)).toEqual([0, 0, 0]);
  }
});
