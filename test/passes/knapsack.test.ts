import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Choice, leastCost, solveKnapsack } from '../../src/passes/allocation/knapsack.js';

const choice = fc.record({ cost: fc.integer({ min: 0, max: 20 }), error: fc.integer({ min: 0, max: 30 }) });
const items = fc.array(fc.array(choice, { minLength: 1, maxLength: 4 }), { maxLength: 6 });

/** The least error of all combinations within the budget. */
function bruteForce(all: readonly (readonly Choice[])[], budget: number): number | undefined {
  const [first, ...rest] = all;
  if (first === undefined) return budget >= 0 ? 0 : undefined;
  const sums = first.flatMap(({ cost, error }) => {
    const after = bruteForce(rest, budget - cost);
    return after === undefined ? [] : [error + after];
  });
  return sums.length === 0 ? undefined : Math.min(...sums);
}

it('the error is the least of all combinations, and the picks give it', () => {
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 90 }), (all, budget) => {
      const found = solveKnapsack(all, budget);
      const best = bruteForce(all, budget);
      if (best === undefined) {
        expect(found).toBeUndefined();
        return;
      }
      expect(found).toMatchObject({ error: best, exact: true });
      const picked = found!.picks.map((n, i) => all[i]![n]!);
      expect(picked.reduce((sum, { error }) => sum + error, 0)).toBe(best);
      expect(picked.reduce((sum, { cost }) => sum + cost, 0)).toBe(found!.cost);
      expect(found!.cost).toBeLessThanOrEqual(budget);
    }),
    { numRuns: 500 },
  );
});

it('with real costs and errors it is the least too', () => {
  const real = fc.double({ min: 0, max: 1, noNaN: true });
  const some = fc.array(fc.array(fc.record({ cost: real, error: real }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(some, fc.double({ min: 0, max: 3, noNaN: true }), (all, budget) => {
      const best = bruteForce(all, budget);
      const found = solveKnapsack(all, budget);
      // at the budget itself the last digits of a sum may decide either way
      if (best === undefined) {
        expect(found?.cost ?? budget).toBeCloseTo(budget, 9);
        return;
      }
      expect(found!.error).toBeLessThanOrEqual(best + 1e-9);
    }),
    { numRuns: 300 },
  );
});

it('a front that grows too large gives the greedy solution, which keeps to the budget', () => {
  fc.assert(
    fc.property(items, fc.integer({ min: 0, max: 90 }), (all, budget) => {
      const found = solveKnapsack(all, budget, 1);
      const best = bruteForce(all, budget);
      if (best === undefined) {
        expect(found).toBeUndefined();
        return;
      }
      expect(found!.cost).toBeLessThanOrEqual(budget);
      expect(found!.error).toBeGreaterThanOrEqual(best);
    }),
    { numRuns: 200 },
  );
  const greedy = solveKnapsack(
    [1, 2, 3, 4].map((n) => [
      { cost: 0, error: n },
      { cost: n + 0.5, error: 0 },
    ]),
    6,
    1,
  );
  expect(greedy!.exact).toBe(false);
});

it('a network of a hundred layers is solved exactly', () => {
  const layers = Array.from({ length: 100 }, (_, i) =>
    Array.from({ length: 7 }, (_unused, b) => ({
      cost: (b + 2) * (100 + ((i * 7919) % 5000)),
      error: ((i * 31) % 17) + 1 / 4 ** b,
    })),
  );
  const budget = leastCost(layers) * 2;
  expect(solveKnapsack(layers, budget)).toMatchObject({ exact: true });
});
