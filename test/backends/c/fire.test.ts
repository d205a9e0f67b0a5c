import { compileFunction } from 'node:vm';
import { expect, it } from 'vitest';
import { fireLines, linearNeuron } from '../../../src/backends/c/trains/fire.js';
import { surroundings } from '../../support/sws.js';

const def = surroundings.neurons.get('TSA')!;

const defaults = { beta: 2, steps: 4, silent: 2, threshold: 0.5, rectified: 0, limit: 0, ties: 0 };

/** The C that decides the last step, of whole numbers as JavaScript's, and the bits behind its point. */
function lastStep(params: Readonly<Record<string, number>>): {
  readonly fires: (u: bigint, unit: bigint) => number;
  readonly fraction: number;
  readonly text: string;
} {
  const env = new Map(Object.entries({ ...defaults, ...params }));
  const neuron = linearNeuron('layer', def, env);
  const T = env.get('steps')! + env.get('silent')!;
  const text = fireLines('layer', neuron, T, T).join('\n');
  const inBigInts = text.replaceAll(/\b(\d+)\b/g, '$1n');
  const decide = compileFunction(
    `let s; const spk_select = (test, a, b) => (test ? a : b); ${inBigInts}; return Number(s);`,
    ['u', 'unit', 'before'],
  ) as (u: bigint, unit: bigint, before: bigint) => number;
  return { fires: (u, unit) => decide(u, unit, 0n), fraction: neuron.fraction, text };
}

/** What the equations say of a membrane of u / unit whole numbers, in fractions: |u| / unit beside height·(1 ± 2^−30). */
function expected(u: bigint, unit: bigint, height: number, fraction: number, ties: number): number {
  const scaled = u << 30n;
  const one = BigInt(height * 2 ** fraction) * unit;
  const far = one * (2n ** 30n + 1n);
  const near = one * (2n ** 30n - 1n);
  if (ties < 1 ? scaled > far : scaled >= near) return 1;
  return (ties >= 0 && ties < 2 ? scaled < -far : scaled <= -near) ? -1 : 0;
}

it('every whole membrane beside a threshold fires as the tolerance of the equations says, at every rounding of ties', () => {
  let decided = 0;
  for (const threshold of [0.5, 1, 0.75, 0.625, 0.3125]) {
    for (const silent of [0, 1, 2, 5]) {
      for (const ties of [-1, 0, 1, 2]) {
        const { fires, fraction } = lastStep({ threshold, silent, ties });
        const height = threshold * 2 ** silent;
        const units = [1n, 3n, 1000n, 2n ** 29n - 1n, 2n ** 29n, 2n ** 31n + 7n, 2n ** 40n + 12_345n, 2n ** 50n - 3n];
        for (const unit of units) {
          const at = BigInt(height * 2 ** fraction) * unit;
          const near = at >> 30n;
          for (const beside of [0n, near, -near]) {
            for (let d = -3n; d <= 3n; d++) {
              for (const u of [at + beside + d, -(at + beside + d)]) {
                expect(fires(u, unit), `${u} of ${unit}, ${threshold}, ${silent}, ${ties}`).toBe(
                  expected(u, unit, height, fraction, ties),
                );
                decided++;
              }
            }
          }
        }
      }
    }
  }
  expect(decided).toBeGreaterThan(20_000);
});

it('a tolerance costs the membrane no bits behind its point', () => {
  // one, of the threshold 0.5 itself
  expect(lastStep({}).fraction).toBe(1);
  expect(lastStep({ threshold: 1 }).fraction).toBe(0);
  expect(lastStep({}).text).toContain('u > 4 * unit + (unit >> 28)');
});

it('a threshold that is no short sum of binary digits is refused', () => {
  expect(() => lastStep({ threshold: 0.3 })).toThrow('has no exact fixed point');
});
