import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, NetworkBuilder } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { type HandNeuron, convertToMeans, meansOf, simulateMeans } from '../support/means.js';
import { randomImages, seeded } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

/** What a network may end with, behind its last layer `c2` [3,4,4]: the ids of its outputs. */
const endings: Readonly<Record<string, (b: NetworkBuilder) => readonly string[]>> = {
  'a relu': (b) => [b.add({ id: 'end', kind: 'relu', inputs: ['c2'] })],
  'a clip': (b) => [b.add({ id: 'end', kind: 'clip', inputs: ['c2'], attrs: { min: -0.25, max: 0.5 } })],
  'a sigmoid': (b) => [b.add({ id: 'end', kind: 'sigmoid', inputs: ['c2'] })],
  'max pooling': (b) => [pooled(b, 'c2')],
  'max pooling behind a relu, then flat': (b) => [
    b.add({
      id: 'end',
      kind: 'flatten',
      inputs: [pooled(b, b.add({ id: 'rectified', kind: 'relu', inputs: ['c2'] }))],
    }),
  ],
  'a quantiser': (b) => [quantised(b, 'c2')],
  'a quantiser behind a relu': (b) => [quantised(b, b.add({ id: 'rectified', kind: 'relu', inputs: ['c2'] }))],
  'a quantiser behind max pooling': (b) => [quantised(b, pooled(b, 'c2'))],
  'a concatenation of a relu and what it reads': (b) => [
    b.add({ id: 'end', kind: 'concat', inputs: [b.add({ id: 'rectified', kind: 'relu', inputs: ['c2'] }), 'c2'] }),
  ],
  'a sum of a relu and a sigmoid': (b) => [
    b.add({
      id: 'end',
      kind: 'add',
      inputs: [
        b.add({ id: 'rectified', kind: 'relu', inputs: ['c2'] }),
        b.add({ id: 'gate', kind: 'sigmoid', inputs: ['c2'] }),
      ],
    }),
  ],
  'two outputs': (b) => [
    b.add({ id: 'rectified', kind: 'relu', inputs: ['c2'] }),
    b.add({ id: 'gate', kind: 'sigmoid', inputs: ['c2'] }),
  ],
};

function pooled(b: NetworkBuilder, from: string): string {
  const attrs = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
  return b.add({ id: 'pooled', kind: 'maxpool', inputs: [from], attrs });
}

function quantised(b: NetworkBuilder, from: string): string {
  const attrs = { scale: 0.125, zero: 3, min: 0, max: 15 };
  return b.add({ id: 'rounded', kind: 'quantize', inputs: [from], attrs });
}

/** [1,6,6] → conv 2 → relu → conv 3 `c2` [3,4,4]; `codes` puts quantisers behind the input and the relu. */
function endingWith(ending: (b: NetworkBuilder) => readonly string[], codes: boolean): Network {
  const b = new NetworkBuilder('ending');
  const random = seeded(5);
  const conv = (id: string, from: string, channels: readonly [number, number], pads: readonly number[]): string => {
    const shape = [...channels, 3, 3];
    const weights = Array.from({ length: channels[0] * channels[1] * 9 }, () => Math.round(254 * random() - 127));
    b.param(`${id}.w`, { tensor: tensor('i8', shape, weights), quant: { scale: [1 / 254], zero: [0], axis: 0 } });
    b.param(`${id}.b`, {
      tensor: tensor(
        'f32',
        [channels[0]],
        Array.from({ length: channels[0] }, () => random() - 0.5),
      ),
    });
    const attrs = { kernel: [3, 3], stride: [1, 1], pads, dilation: [1, 1], groups: 1 };
    return b.add({ id, kind: 'conv', inputs: [from], attrs, params: { weight: `${id}.w`, bias: `${id}.b` } });
  };
  const coded = (id: string, from: string, scale: number): string =>
    codes ? b.add({ id, kind: 'quantize', inputs: [from], attrs: { scale, zero: 0, min: 0, max: 255 } }) : from;
  const image = coded('q0', b.add({ id: 'image', kind: 'input', attrs: { shape: [1, 6, 6] } }), 1 / 255);
  const hidden = b.add({ id: 'r1', kind: 'relu', inputs: [conv('c1', image, [2, 1], [1, 1, 1, 1])] });
  conv('c2', coded('q1', hidden, 2 / 255), [3, 2], [0, 0, 0, 0]);
  return b.finish([...ending(b)]);
}

const image = randomImages(9, 1, [1, 6, 6]).map((v) => Math.abs(v) / 4);

function outputsOf(spiking: Network): number[][] {
  const run = evaluate(lower(spiking).program, { image: tensor('f32', [1, 1, 6, 6], image) }, { precision: 'f64' });
  return spiking.outputs.map((_, n) => [...run[String(n)]!.data]);
}

const hands: readonly (readonly [string, Readonly<Record<string, number>>, number, HandNeuron])[] = [
  ['IF', { start: 0.5 }, 6, { start: 0.5, top: 1, step: (u, x) => fired(u + x, u + x >= 1 ? 1 : 0) }],
  ['MBIF', { start: 0.0625 }, 3, { start: 0.0625, top: 1.875, step: (u, x) => fired(u + x, levels(8 * (u + x)) / 8) }],
  ['IBRALIF', {}, 1, { start: 0, top: 1.5, step: (u, x) => fired(u + x, levels(10 * x + 0.5) / 10) }],
];
const levels = (x: number): number => Math.min(15, Math.max(0, Math.floor(x)));
const fired = (u: number, s: number): { s: number; u: number } => ({ s, u: u - s });

it.each(
  Object.entries(endings).flatMap(([name, ending]) =>
    hands.map(([neuron, ...rest]) => ({ name, ending, neuron, rest })),
  ),
)('$name at the end acts on the mean over the steps, once ($neuron)', ({ ending, neuron, rest }) => {
  const [given, steps, hand] = rest;
  const options = meansOf(neuron, given, steps, () => 1.5);
  const network = endingWith(ending, false);
  const { clipped } = convertToMeans(
    endingWith(() => ['c2'], false),
    options,
  );
  const mean = simulateMeans(clipped, Float64Array.from(image), steps, hand).at(-1)!;
  const expected = evaluateAnn(network, Float64Array.from(image), new Map([['c2', mean]]));
  const found = outputsOf(convertToMeans(network, options).spiking);
  network.outputs.forEach((id, n) => {
    const values = expected.get(id)!;
    expect(found[n]).toHaveLength(values.length);
    values.forEach((v, i) => expect(found[n]![i], `${id}[${i}]`).toBeCloseTo(v, 5));
  });
  // none of the ends does nothing to the mean
  const unchanged = network.outputs.every((id) => expected.get(id)!.every((v, i) => v === mean[i]));
  expect(unchanged).toBe(false);
});

it.each(Object.entries(endings))('%s at the end acts on what stepwise weighted spikes add up to', (_, ending) => {
  const network = endingWith(ending, true);
  const { spiking } = convert(network, sws({ silent: 8 }));
  const expected = evaluateAnn(network, Float64Array.from(image));
  const found = outputsOf(spiking);
  network.outputs.forEach((id, n) => {
    const values = expected.get(id)!;
    expect(found[n]).toHaveLength(values.length);
    values.forEach((v, i) => expect(found[n]![i], `${id}[${i}]`).toBeCloseTo(v, 5));
  });
});
