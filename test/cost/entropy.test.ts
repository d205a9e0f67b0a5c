import { expect, it } from 'vitest';
import { normalDistribution, spikeEntropy } from '../../src/cost/index.js';

/** Φ by Simpson's rule. */
function integrated(x: number): number {
  const n = 20_000;
  const from = -12;
  const h = (x - from) / n;
  const f = (t: number): number => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = f(from) + f(x);
  for (let i = 1; i < n; i++) sum += f(from + i * h) * (i % 2 === 1 ? 4 : 2);
  return (sum * h) / 3;
}

it('Φ equals its integral', () => {
  for (const x of [-6, -3, -0.6, 0, 0.3, 0.6, 1.8, 4.9, 5.1, 7])
    expect(normalDistribution(x)).toBeCloseTo(integrated(x), 11);
});

it('is the entropy of the level probabilities by MBM eq. 3–9, here from the integral', () => {
  const expected = (m: number, n: number): number => {
    const edges = Array.from({ length: 2 ** (m + n) - 1 }, (_, k) => integrated(((k + 1) * 0.6) / 2 ** n));
    const below = [0, ...edges, 1];
    return below.slice(1).reduce((sum, p, k) => sum - (p - below[k]!) * Math.log2(p - below[k]!), 0);
  };
  for (const [m, n] of [
    [1, 0],
    [2, 0],
    [1, 1],
    [2, 1],
  ] as const) {
    expect(spikeEntropy(m, n, 0.6).entropy).toBeCloseTo(expected(m, n), 9);
  }
  // MBM Tab. 1 prints 0.848, 1.149, 1.361, 1.998; its own equations give the last three differently
  expect(spikeEntropy(1, 0, 0.6).entropy.toFixed(3)).toBe('0.848');
});

it('information loss is H(U) − H(S); levels are in steps of 2^−n and sum to 1', () => {
  const { entropy, information_loss, levels } = spikeEntropy(2, 1, 0.6);
  expect(entropy + information_loss).toBeCloseTo(0.5 * Math.log2(2 * Math.PI * Math.E), 12);
  expect(levels.map(({ value }) => value)).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
  expect(levels.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
});

it('refuses no bits, too many, and a threshold that isn’t positive', () => {
  expect(() => spikeEntropy(0, 0, 1)).toThrow(TypeError);
  expect(() => spikeEntropy(9, 8, 1)).toThrow(TypeError);
  expect(() => spikeEntropy(1, 0, 0)).toThrow(TypeError);
});
