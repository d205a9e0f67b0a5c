import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bestRange, stepOf } from '../../src/train/index.js';

/** Σ|x − x_q|^2.4 for a step, written anew. */
function errorOf(values: readonly number[], step: number, bits: number, signed: boolean): number {
  const [lo, hi] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  return values.reduce((sum, x) => {
    const codes = signed && bits === 1 ? [x >= 0 ? 1 : -1] : Array.from({ length: hi - lo + 1 }, (_, i) => lo + i);
    const nearest = Math.min(...codes.map((code) => Math.abs(x - step * code)));
    return sum + nearest ** 2.4;
  }, 0);
}

it('the range found has the least error of all hundred candidates', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      (values, bits, signed) => {
        const [lo, hi] = [signed ? Math.min(0, ...values) : 0, Math.max(0, ...values)];
        const found = bestRange(values, bits, signed);
        if (hi - lo <= 0) {
          expect(found).toBeUndefined();
          return;
        }
        const best = errorOf(values, stepOf(found!, bits), bits, signed);
        for (let i = 1; i <= 100; i++) {
          const step = ((hi - lo) * i) / 100 / (2 ** bits - 1);
          expect(best).toBeLessThanOrEqual(errorOf(values, step, bits, signed) * (1 + 1e-9) + 1e-12);
        }
      },
    ),
    { numRuns: 80 },
  );
});

it('outliers are clipped where that costs less than coarse levels', () => {
  const values = [...Array.from({ length: 1000 }, (_, i) => i / 1000), 6];
  const range = bestRange(values, 3, false)!;
  expect(range.hi).toBeLessThan(4);
  expect(range.hi).toBeGreaterThan(0.9);
});

it('signed levels reach to the end of values on one side of 0', () => {
  const values = Array.from({ length: 100 }, (_, i) => i / 99);
  for (const bits of [2, 3, 4]) {
    const step = stepOf(bestRange(values, bits, true)!, bits);
    const least = Math.min(...Array.from({ length: 300 }, (_, i) => errorOf(values, (i + 1) / 150, bits, true)));
    expect(errorOf(values, step, bits, true)).toBeLessThan(1.05 * least);
  }
});

it('signed codes of one bit are −1 and 1, of weights and of spikes', () => {
  const values = Array.from({ length: 400 }, (_, i) => i / 200 - 1);
  // ±θ: the best for −1 … 1 evenly spread lies at 1/2 (exponent 2.4); −θ and 0 would have it near 3/4
  expect(Math.abs(stepOf(bestRange(values, 1, true)!, 1) - 0.5)).toBeLessThan(0.03);
});
