import { expect, it } from 'vitest';
import { NetworkBuilder, realParam } from '../../src/network/index.js';
import { provenSilence } from '../../src/passes/index.js';
import { libraryNeurons } from '../../src/workspace/files.js';

const steps = 5;
const top = 2 ** steps - 1;

/** Encoders' place is taken by neurons whose trains are anything: two inputs, one neuron, its weights and bias a step. */
function network(weights: readonly number[], bias: number) {
  const b = new NetworkBuilder('one');
  b.neuron(libraryNeurons().get('TSA')!);
  const attrs = { beta: 2, steps, threshold: 0.5, amplitude: 1 };
  b.add({ id: 'x', kind: 'input', inputs: [], attrs: { shape: [2] } });
  const encode = { ...attrs, coding: 'sws', encoder: 'drive', scale: 1, zero: 0, min: 0, max: top };
  b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: encode });
  const params = {
    weight: b.param('w', { tensor: realParam([1, 2], Float64Array.from(weights)).tensor }),
    gain: b.param('g', realParam([1], Float64Array.of(1))),
    bias: b.param('b', realParam([1], Float64Array.of(bias))),
  };
  b.add({ id: 'z', kind: 'linear', inputs: ['e'], params });
  const neuron = { ...attrs, neuron: 'TSA', silent: 0, rectified: 1, limit: 0, levels: [-1, 1] };
  b.add({ id: 'n', kind: 'neuron', inputs: ['z'], attrs: neuron });
  b.add({ id: 'y', kind: 'decode', inputs: ['n'], attrs: { coding: 'sws', beta: 2 } });
  return b.finish(['y'], { name: 'sws', args: { beta: 2, steps } });
}

/** SPEC §4, word by word. */
function fired(current: readonly number[], silent: number): number {
  const unity = 2 ** silent;
  let [u, p] = [0, 0];
  for (let g = 1; g <= steps + silent; g++) {
    u = 2 * u + (current[g - 1] ?? 0);
    if (g <= silent) continue;
    const last = g === steps + silent;
    const up = last ? u > unity / 2 : u >= unity / 2;
    const down = (last ? u < -unity / 2 : u <= -unity / 2) && p >= 1;
    const s = up ? 1 : down ? -1 : 0;
    u -= s * unity;
    p = 2 * p + s;
  }
  return p;
}

/** Every train of digits −1, 0, 1. */
const trains = Array.from({ length: 3 ** steps }, (_, n) =>
  Array.from({ length: steps }, (_, k) => (Math.floor(n / 3 ** k) % 3) - 1),
);

/** How many of all pairs of trains give another code than their sum's, clipped and rounded; sums near ties apart. */
function wrong(weights: readonly number[], bias: number, silent: number): number {
  let count = 0;
  for (const a of trains) {
    for (const b of trains) {
      const current = a.map((s, k) => weights[0]! * s + weights[1]! * b[k]! + bias);
      const sum = current.reduce((total, z) => 2 * total + z, 0);
      const apart = Math.abs(sum - Math.floor(sum) - 0.5);
      if (apart > 1e-6 && fired(current, silent) !== Math.min(top, Math.max(0, Math.round(sum)))) count++;
    }
  }
  return count;
}

it.each([
  { weights: [0.3, 0.1], bias: 0.01 },
  { weights: [0.7, -0.4], bias: -0.05 },
  { weights: [1.3, -2.1], bias: 0.3 },
  { weights: [5.2, 3.7], bias: -1 },
])('with the proven period no code is wrong, whatever the trains: $weights', ({ weights, bias }) => {
  const proven = provenSilence(network(weights, bias)).get('n')!;
  expect(proven).toBeLessThan(steps);
  for (let silent = proven; silent <= steps; silent++) expect(wrong(weights, bias, silent)).toBe(0);
});

it('the bound is the sharper the smaller the weights, and shorter periods than proven do go wrong', () => {
  const periods = [0.2, 0.6, 1.1, 2.3].map((w) => provenSilence(network([w, w], 0)).get('n')!);
  expect(periods).toEqual([0, 1, 2, 3].map((_, i) => [...periods].sort((a, b) => a - b)[i]));
  expect(new Set(periods).size).toBeGreaterThan(2);
  const proven = provenSilence(network([1.3, -2.1], 0.3)).get('n')!;
  expect(wrong([1.3, -2.1], 0.3, proven - 2)).toBeGreaterThan(0);
});
