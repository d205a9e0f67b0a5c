import { countedSpikes } from '../support/counted-spikes.js';
import { runPasses } from '../support/planes.js';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { elementCount, tensor } from '../../src/base/dtype.js';
import { costOf, defaultHardware, measuredCost } from '../../src/cost/index.js';
import { lower, outputNames } from '../../src/lower/program/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { checkModel } from '../../src/model/index.js';
import { type Network, parseNetwork } from '../../src/network/index.js';
import { SpikeCounter } from '../../src/run/metrics/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { diskLoader } from '../../src/workspace/files.js';
import { forwardFeeds } from '../support/train.js';

/** The network of a config that uses files of models/. */
function library(text: string): Network {
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, diskLoader('model.spike', false));
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return lowerModel([...value.configs.values()][0]!, { blank: true }).value!;
}

it('Spikformer-4-384 has 9.32 M parameters and the MACs of its description', () => {
  const network = library(
    'use "spikec/spikformer/cifar" { Spikformer } use "spikec/attention" { InputDecayLIF } config c { network Spikformer neuron InputDecayLIF coding direct(steps: 4) bits { weights 16 spikes 1 } }',
  );
  const learned = [...network.params].filter(([name]) => !/\.(mean|variance|weight_step|scale)$/.test(name));
  const convs = 27 * 48 + 9 * (48 * 96 + 96 * 192 + 192 * 384 + 384 * 384);
  const norms = (widths: readonly number[]): number => 2 * widths.reduce((sum, n) => sum + n, 0);
  const block = 4 * (384 * 384 + 384) + 384 * 1536 + 1536 + 1536 * 384 + 384 + norms([384, 384, 384, 384, 1536, 384]);
  const parameters = convs + norms([48, 96, 192, 384, 384]) + 4 * block + 3840 + 10;
  expect(learned.reduce((sum, [, { tensor }]) => sum + elementCount(tensor.shape), 0)).toBe(parameters);
  expect(parameters / 1e6).toBeCloseTo(9.32, 2);

  const { layers, total } = costOf(network);
  // 32x32 in the first three convolutions, 16x16 and 8x8 behind maxima; 64 tokens
  const patches = 1024 * (27 * 48 + 9 * 48 * 96 + 9 * 96 * 192) + 256 * 9 * 192 * 384 + 64 * 9 * 384 * 384;
  const blocks = 4 * 64 * (4 * 384 * 384 + 2 * 384 * 1536);
  const attention = 4 * 12 * 2 * 64 * 64 * 32;
  expect(total.macs).toBe(patches + blocks + attention + 3840);
  // q k' of 1·1 bits; of counts 0 … 32 (6 bits) and v (1 bit): four steps
  const products = layers.filter(({ kind }) => kind === 'matmul');
  expect(products).toHaveLength(8);
  const own = 12 * 64 * 64 * 32;
  expect(products.map((layer) => layer.s_ace)).toEqual([1, 2, 3, 4].flatMap(() => [own * 4, own * 6 * 4]));
  expect(total.s_ace_spikes).toBe(16 * 4 * (patches - 1024 * 27 * 48 + blocks + 3840) + 4 * own * 4 * (1 + 6));
  // the image alone is multiplied
  expect(total.real_macs).toBe(1024 * 27 * 48);
});

it.each([
  // widths of the four convolutions; 224 / 2⁴ = 14 and 128 / 2⁴ = 8 positions a side
  {
    file: 'imagenet#w16s1t4',
    from: 3,
    dim: 512,
    blocks: 8,
    classes: 1000,
    sizes: [224, 112, 56, 28],
    heads: 8,
    million: 29.7,
  },
  {
    file: 'dvs#w16s1t16',
    from: 2,
    dim: 256,
    blocks: 2,
    classes: 10,
    sizes: [128, 64, 32, 16],
    heads: 16,
    million: 2.57,
  },
])('spikformer/$file has $million M parameters and the MACs of its description', (model) => {
  const { from, dim, blocks, classes, sizes, heads, million } = model;
  const [file, name] = model.file.split('#') as [string, string];
  const path = `models/spikformer/${file}.spike`;
  const { value } = checkModel({ name: path, text: readFileSync(path, 'utf8') }, diskLoader(path, false));
  const network = lowerModel(value!.configs.get(name)!, { blank: true }).value!;
  const learned = [...network.params].filter(([id]) => !/\.(mean|variance|weight_step|scale)$/.test(id));
  const widths = [from, dim / 8, dim / 4, dim / 2, dim];
  const kernels = sizes.map((_, i) => 9 * widths[i]! * widths[i + 1]!);
  const rpe = 9 * dim * dim;
  const norms = 2 * (widths.slice(1).reduce((sum, n) => sum + n) + dim);
  // q, k, v and the projection with biases, the MLP four times as wide, two numbers a feature of each norm
  const block = 4 * (dim * dim + dim) + (4 * dim * dim + 4 * dim) + (4 * dim * dim + dim) + 2 * (5 * dim + 4 * dim);
  const parameters = kernels.reduce((sum, n) => sum + n) + rpe + norms + blocks * block + dim * classes + classes;
  expect(learned.reduce((sum, [, { tensor }]) => sum + elementCount(tensor.shape), 0)).toBe(parameters);
  expect(parameters / 1e6).toBeCloseTo(million, 2);
  const tokens = (sizes[0]! / 16) ** 2;
  const patches = kernels.reduce((sum, n, i) => sum + n * sizes[i]! ** 2, 0) + rpe * tokens;
  const products = heads * 2 * tokens * tokens * (dim / heads);
  expect(costOf(network).total.macs).toBe(patches + blocks * (12 * dim * dim * tokens + products) + dim * classes);
});

const attention = `network "attention" coding direct(steps=2)
  neuron LIF(theta = 1) {
    state u = 0
    charge u = 0.5 * u + x
    fire s = u >= theta
    reset u = where(s != 0, 0, u)
    surrogate rectangle(width: 1)
  }
  param w : f32[4,4]
  %image = input {shape=[3, 4]} : real[3,4]
  %encode = encode %image {coding=direct, steps=2} : real[3,4] @1..2
  %q = neuron.LIF %encode {levels=[0, 1], amplitude=1, theta=0.4} : spike{0..1}[3,4] @1..2
  %l = linear %q (weight=w) : psp[3,4] @1..2
  %k = neuron.LIF %l {levels=[0, 1], amplitude=1, theta=0.2} : spike{0..1}[3,4] @1..2
  %counts = matmul %q %k {transpose} : spike{0..4}[3,3] @1..2
  %y = matmul %counts %k {transpose=false} : spike{0..12}[3,4] @1..2
  %flat = flatten %y : spike{0..12}[12] @1..2
  %decode = decode %flat {coding=direct} : real[12]
  output %decode
`;

it('additions of products of trains are counted on data: a spike adds a row of the other operand', () => {
  const w = tensor('f32', [4, 4], [0.5, 0.1, -0.2, 0.4, 0.3, -0.1, 0.6, 0.2, -0.3, 0.5, 0.2, 0.1, 0.4, 0.4, -0.5, 0.3]);
  const { value: network, diagnostics } = parseNetwork(
    { name: 'attention.ir', text: attention },
    new Map([['w', { tensor: w }]]),
  );
  expect(diagnostics).toEqual([]);
  const counter = new SpikeCounter(network!);
  expect(counter.ids).toEqual(['q', 'k']);
  const counted = new Set(counter.ids);
  const lowered = lower(network!, { probes: { trains: (id) => counted.has(id) } });
  const { labels: _labels, ...feeds } = forwardFeeds(lowered, 2);
  const results = evaluate(lowered.program, feeds);
  counter.add((id) => results[outputNames.train(id)]!);
  const cost = costOf(network!);
  const { layers } = measuredCost(network!, cost, (id) => counter.countsOf(id), 2, defaultHardware);
  const spikes = (id: string): number =>
    Array.from(results[outputNames.train(id)]!.data).reduce((sum, s) => sum + s, 0);
  expect(spikes('q')).toBeGreaterThan(0);
  expect(spikes('k')).toBeGreaterThan(0);
  // of l: 4 outputs a spike; of q k' the spikes of q: 3 columns each; of counts·k those of k: 3 rows each
  expect(layers.get('l')!.sops).toBe((spikes('q') * 4) / 2);
  expect(layers.get('counts')!.sops).toBe((spikes('q') * 3) / 2);
  expect(layers.get('y')!.sops).toBe((spikes('k') * 3) / 2);
  // the counts themselves, by loops
  const [q, k, y] = ['q', 'k'].map((id) => results[outputNames.train(id)]!.data).concat([results['0']!.data as never]);
  for (let n = 0; n < 2; n++)
    for (let i = 0; i < 3; i++)
      for (let c = 0; c < 4; c++) {
        let sum = 0;
        for (let t = 0; t < 2; t++)
          for (let j = 0; j < 3; j++)
            for (let p = 0; p < 4; p++) {
              const at = (row: number, column: number): number => ((t * 2 + n) * 3 + row) * 4 + column;
              sum += q![at(i, p)]! * k![at(j, p)]! * k![at(j, c)]!;
            }
        expect(y![(n * 3 + i) * 4 + c]).toBeCloseTo(sum / 2, 6);
      }
});

it('a product of two trains of several bits in planes: S-ACE of one bit in as many steps, additions of its planes’ ones', () => {
  const wide = attention
    .replaceAll('levels=[0, 1]', 'levels=[0, 3]')
    .replaceAll('spike{0..1}', 'spike{0..3}')
    .replace('spike{0..4}', 'spike{0..36}')
    .replaceAll('spike{0..12}', 'spike{0..324}')
    .replace('fire s = u >= theta', 'fire s = clip(floor(u / theta), 0, 3)');
  const w = tensor('f32', [4, 4], [0.5, 0.1, -0.2, 0.4, 0.3, -0.1, 0.6, 0.2, -0.3, 0.5, 0.2, 0.1, 0.4, 0.4, -0.5, 0.3]);
  const { value: network, diagnostics } = parseNetwork(
    { name: 'attention.ir', text: wide },
    new Map([['w', { tensor: w }]]),
  );
  expect(diagnostics).toEqual([]);
  const split = runPasses(network!, 'planes');
  const plain = costOf(network!).layers;
  const planes = costOf(split).layers;
  const row = (layers: typeof plain, id: string) => layers.find((layer) => layer.id === id)!;
  // 3·3·4 products of 2 by 2 bits at 2 steps; in planes of q, 2 by 1 bit at 4 virtual steps
  expect(row(plain, 'counts')).toMatchObject({ macs: 36, weight_bits: 2, spike_bits: 2, steps: 2, s_ace: 36 * 8 });
  expect(row(planes, 'counts')).toMatchObject({ macs: 36, weight_bits: 2, spike_bits: 1, steps: 4, s_ace: 36 * 8 });
  // counts 0 … 36 have 6 bits; k comes in 2 planes
  expect(row(planes, 'y')).toMatchObject({ macs: 36, weight_bits: 6, spike_bits: 1, steps: 4, s_ace: 36 * 6 * 4 });
  // what runs has its planes put back, and counts the ones of its codes
  const fused = runPasses(split, 'fuse');
  const { counter, results, feeds } = countedSpikes(fused, 2);
  const count = (id: string) => counter.countsOf(id);
  const { layers } = measuredCost(fused, costOf(split), count, 2, defaultHardware, split);
  const ones = (id: string): number =>
    Array.from(results[outputNames.train(id)]!.data).reduce((sum, s) => sum + (s & 1) + (s >> 1), 0);
  expect(ones('q')).toBeGreaterThan(0);
  // a one of q' adds 3 columns of k; one of k 3 rows of the counts
  expect(layers.get('counts')!.sops).toBe((ones('q') * 3) / 2);
  expect(layers.get('y')!.sops).toBe((ones('k') * 3) / 2);
  const inPlanes = evaluate(lower(split).program, feeds);
  expect(inPlanes['0']!.data).toEqual(results['0']!.data);
});
