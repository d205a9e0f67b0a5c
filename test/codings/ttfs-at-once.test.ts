import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { fanOuts, firingOps } from '../../src/cost/index.js';
import { conversionOf, lower } from '../../src/lower/program/index.js';
import { evaluate, simplify } from '../../src/tensor/index.js';
import { convertToMeans } from '../support/means.js';
import { randomFloatNetwork } from '../support/random-float-network.js';
import { randomImages } from '../support/random-network.js';
import { timedOf } from '../support/timed.js';

function converted(seed: number, steps: number, tau: number, input: number) {
  const args = { steps, tau };
  const { neuron, silent } = conversionOf('ttfs')!;
  const passes = timedOf('ttfs', { ...args, input }, neuron(args), silent!(args), () => 1.5);
  return convertToMeans(randomFloatNetwork(seed, 2), passes).spiking;
}

it('ttfs: a program knows its spikes without running steps, as many as its trains have', () => {
  let counted = 0;
  for (const [seed, input] of [
    [1, 0],
    [2, 0.4],
    [3, 0.4],
    [7, 0],
  ] as const) {
    const network = converted(seed, 9, 0, input);
    const fans = fanOuts(network);
    const image = tensor('f32', [1, 2, 6, 6], randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4)); // prettier-ignore
    const { program, outputs } = lower(network, { probes: { trains: () => true, counts: fans } });
    const found = evaluate(program, { image });
    for (const op of firingOps(network)) {
      const name = outputs.probes.counts.get(op.id);
      if (name === undefined) continue;
      const train = [...found[outputs.probes.train.get(op.id)!]!.data].map(Math.abs);
      const fan = fans(op.id);
      const sum = train.reduce((a, s, i) => a + s * fan[i % fan.length]!, 0);
      expect([op.id, ...found[name]!.data]).toEqual([op.id, train.reduce((a, b) => a + b, 0), sum]);
      counted += sum;
    }
  }
  expect(counted).toBeGreaterThan(100);
});

it('ttfs: what is run doesn’t grow with the steps, unless thresholds fall by a share', () => {
  const sizeOf = (steps: number, tau: number): number =>
    simplify(
      lower(converted(2, steps, tau, 0.4), { probes: { counts: fanOuts(converted(2, steps, tau, 0.4)) } }).program,
    ).ops.length;
  expect(sizeOf(12, 0)).toBe(sizeOf(6, 0));
  expect(sizeOf(12, 4)).toBeGreaterThan(sizeOf(6, 4));
});

it('ttfs: the input just below half a step fires nothing in single precision', () => {
  const network = converted(2, 8, 0, 1);
  const below = 0.5 / 8 - 2 ** -28;
  const image = tensor('f32', [1, 2, 6, 6], new Float32Array(72).fill(below));
  const { program, outputs } = lower(network, { probes: { counts: fanOuts(network) } });
  const name = outputs.probes.counts.get(network.ops.find(({ kind }) => kind === 'encode')!.id)!;
  expect(evaluate(program, { image })[name]!.data[0]).toBe(0);
  const at = tensor('f32', [1, 2, 6, 6], new Float32Array(72).fill(0.5 / 8));
  expect(evaluate(program, { image: at })[name]!.data[0]).toBe(72);
});
