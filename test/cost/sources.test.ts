import { expect, it } from 'vitest';
import { elementCount } from '../../src/base/dtype.js';
import { costOf, fanOuts, firingOps, reaches, spikeSources } from '../../src/cost/index.js';
import type { Network } from '../../src/network/index.js';
import { pooledNetwork } from '../support/pooled.js';
import { networkFrom, tinyModel } from '../support/train.js';

const layer = (network: Network, id: string) => costOf(network).layers.find((one) => one.id === id)!;

it('a sum of spikes is spikes: the bits are those of its trains, and each spike reaches what the sum reaches', () => {
  const network = networkFrom(`
    use "spikec/neurons" { LIF }
    network Sew {
      input image: real[1, 4, 4]
      a = image | conv(2, kernel: 3) | spike
      b = a | conv(2, kernel: 3) | spike
      output a + b | conv(3, kernel: 3) | spike | flatten | linear(2)
    }
    config sew { network Sew  neuron LIF  coding direct(steps: 3) }
  `);
  expect(layer(network, 'output.conv')).toMatchObject({ input: 'spikes', spike_bits: 1, steps: 3, real_macs: 0 });
  const sourcesOf = spikeSources(network);
  expect(sourcesOf('output.add')?.map(({ op }) => op.id)).toEqual(['a.spike', 'b.spike']);
  expect(sourcesOf('output.conv')).toBeUndefined();
  // a corner neuron of `b` is read by the four outputs of three channels around it
  expect(fanOuts(network)('b.spike')[0]).toBe(3 * 4);
  // one of `a` besides by the convolution of `b`
  expect(fanOuts(network)('a.spike')[0]).toBe(3 * 4 + 2 * 4);
  expect([...reaches(network)('a.spike').keys()].sort()).toEqual(['b.conv', 'output.conv']);
});

it('a spike that is added to a potential, as in an identity shortcut, is one addition there', () => {
  const network = networkFrom(`
    use "spikec/neurons" { LIF }
    network Residual {
      input image: real[1, 4, 4]
      a = image | conv(2, kernel: 3) | spike
      output (a | conv(2, kernel: 1)) + a | spike | flatten | linear(2)
    }
    config residual { network Residual  neuron LIF  coding direct(steps: 1) }
  `);
  expect(new Set(fanOuts(network)('a.spike'))).toEqual(new Set([2 + 1]));
});

it('a synapse behind potentials multiplies, at every step; one behind the constant image once', () => {
  const model = tinyModel({
    body: 'image | conv(4, kernel: 3) | spike | conv(2, kernel: 3) | conv(3, kernel: 1) | spike | flatten | linear(3)',
  });
  const network = networkFrom(model);
  const [first, second, third, last] = costOf(network).layers;
  expect(first).toMatchObject({ input: 'real', spike_bits: 32, macs: 4 * 9 * 64, real_macs: 4 * 9 * 64, steps: 3 });
  expect(second).toMatchObject({ input: 'spikes', real_macs: 0 });
  expect(third).toMatchObject({ input: 'real', macs: 2 * 3 * 64, real_macs: 3 * 2 * 3 * 64 });
  expect(last).toMatchObject({ input: 'spikes', spike_bits: 1 });
  expect(costOf(network, { everyStep: true }).layers[0]!.real_macs).toBe(3 * 4 * 9 * 64);
  expect(costOf(network).total.s_ace_spikes).toBe(second!.s_ace + last!.s_ace);
});

it('the binary spikes of rate coding are no real input', () => {
  const network = networkFrom(tinyModel({ coding: 'rate(steps: 5)' }));
  expect(costOf(network).layers[0]).toMatchObject({ input: 'spikes', spike_bits: 1, steps: 5, real_macs: 0 });
});

it('squeezed trains count T steps in S-ACE, one in the squeezed S-ACE', () => {
  const model = tinyModel({
    neuron: 'Refined',
    train: 'optimizer sgd(lr: 0.1) } bits { weights 4  spikes 3  steps 2',
  });
  const { layers, total } = costOf(networkFrom(model));
  const [stem, last] = layers;
  // the image enters once, before any train
  expect(stem).toMatchObject({ input: 'real', weight_bits: 4, steps: 1 });
  expect(last).toMatchObject({ weight_bits: 4, spike_bits: 3, steps: 2, bit_budget: 24 });
  expect([last!.s_ace, last!.s_ace_squeezed]).toEqual([last!.macs * 24, last!.macs * 12]);
  expect(total.s_ace - total.s_ace_squeezed).toBe(last!.macs * 12);
  expect(total).toMatchObject({ weight_bits: 4, spike_bits: 3, steps: 2, bit_budget: 24 });
  // seven levels above 0, twice: fifteen values
  expect(last!.ann_bits).toBe(4);
});

it('learned bits count rounded, weight bits without a setting by their type, and averages by size', () => {
  const learn = (init: number): string => `learn(init: ${init}, max: 6, target: 2)`;
  const model = tinyModel({
    neuron: 'Refined',
    body: 'image | spike | conv(4, kernel: 3) | spike | flatten | linear(3)',
    train: `optimizer sgd(lr: 0.1) } bits { weights ${learn(3.6)}  spikes ${learn(4.4)}  layer "output.spike" { spikes 1 }`,
  });
  const { layers, total } = costOf(networkFrom(model));
  expect(layers.map((one) => [one.weight_bits, one.spike_bits])).toEqual([
    [4, 1],
    [4, 4],
  ]);
  // 64 neurons with 1 bit and 256 with 4
  expect(total.spike_bits).toBeCloseTo((64 + 256 * 4) / 320, 12);
  expect(costOf(networkFrom(tinyModel())).layers.map((one) => one.weight_bits)).toEqual([32, 32]);
});

it.each([
  ['a | maxpool(2)', 2],
  ['a | avgpool(2)', 2],
  ['concat(a, b) | maxpool(2)', 4],
  ['concat(a | maxpool(2), b | maxpool(2))', 4],
  ['concat(a, b) | avgpool(2)', 4],
  ['a + b | maxpool(2)', 2],
  ['a | avgpool(3, stride: 1) | maxpool(2)', 2],
])('behind %s the bits and steps are those of the neurons', (pooled, channels) => {
  const network = pooledNetwork(pooled);
  const conv = layer(network, 'd.conv');
  expect(conv).toMatchObject({ input: 'spikes', weight_bits: 4, spike_bits: 3, steps: 2, real_macs: 0 });
  const operations = elementCount(network.ops.find(({ id }) => id === 'd.conv')!.type.shape) * channels * 9;
  expect(conv).toMatchObject({ s_ace: operations * 4 * 3 * 2, s_ace_squeezed: operations * 4 * 3 });
  // seven levels above 0, twice: fifteen values
  expect(conv.ann_bits).toBe(4);
  expect(costOf(network).total.largest_spike).toBeCloseTo(7, 5);
});

it('trains of different bits and steps that are joined count with the most of both', () => {
  const layers = 'layer "a.spike" { spikes 2  steps 3 }';
  for (const pooled of ['concat(a, b) | maxpool(2)', 'concat(a, b)', 'concat(a | maxpool(2), b | maxpool(2))']) {
    const conv = layer(pooledNetwork(pooled, layers), 'd.conv');
    expect(conv, pooled).toMatchObject({ input: 'spikes', spike_bits: 3, steps: 3 });
    expect(conv.s_ace_squeezed, pooled).toBe(conv.s_ace / 3);
  }
});

it('a maximum of potentials stays real', () => {
  const network = networkFrom(
    tinyModel({ body: 'image | conv(4, kernel: 3) | maxpool(2) | conv(2, kernel: 3) | spike | flatten | linear(3)' }),
  );
  expect(costOf(network).layers.map(({ input }) => input)).toEqual(['real', 'real', 'spikes']);
  expect(firingOps(network).map(({ kind }) => kind)).toEqual(['neuron']);
});
