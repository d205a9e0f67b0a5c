import { expect, it } from 'vitest';
import { elementCount } from '../../../src/base/dtype.js';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { checkModel } from '../../../src/model/index.js';
import { type Network } from '../../../src/network/index.js';
import { diskLoader } from '../../../src/workspace/files.js';

function networkOf(call: string): Network {
  const text = `use "spikec/spikeyolo/coco" { SpikeYOLO } use "spikec/neurons" { ILIF }
    config c { network SpikeYOLO${call} neuron ILIF(D: 4) coding direct(steps: 1) }`;
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, diskLoader('model.spike', false));
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return lowerModel(value.configs.get('c')!, { blank: true }).value!;
}

// parameters by the description of the blocks; batch norm has two a channel
const conv = (from: number, to: number, kernel: number): number => from * to * kernel ** 2 + 2 * to;
const each = (channels: number, kernel: number): number => channels * kernel ** 2;
const separable = (c: number): number =>
  conv(c, 2 * c, 1) + each(2 * c, 7) + 4 * c + 4 * c + 2 * c * c + each(c, 3) + 2 * c;
const full = (c: number): number => separable(c) + conv(c, 4 * c, 3) + conv(4 * c, c, 3);
const rep = (from: number, to: number): number => conv(from, from, 1) + each(from, 3) + conv(from, to, 1);
const repeated = (c: number, ratio: number): number =>
  separable(c) + rep(c, ratio * c) + 2 * ratio * c + rep(ratio * c, c) + 2 * c;
const down = (from: number, to: number, kernel: number): number => conv(from, to, kernel) + to;

it.each([
  { size: 'n', width: 48, depths: [1, 2, 2, 1], million: 13.2 },
  { size: 's', width: 64, depths: [1, 2, 2, 1], million: 23.1 },
  { size: 'm', width: 80, depths: [2, 3, 4, 2], million: 47.8 },
  { size: 'l', width: 96, depths: [2, 3, 4, 2], million: 68.5 },
])('SpikeYOLO $size has the $million M parameters that its blocks have by hand', ({ width, depths, million }) => {
  const [a, b, c, d] = [width, 2 * width, 4 * width, 8 * width] as const;
  const [n2, n3, n4, n5] = depths as [number, number, number, number];
  const backbone =
    down(3, a, 7) + n2 * full(a) + down(a, b, 3) + n3 * full(b) + down(b, c, 3) + n4 * repeated(c, 3) + down(c, d, 3);
  const pyramid = n5 * repeated(d, 2) + conv(d, d / 2, 1) + conv(2 * d, d, 1);
  const up = conv(d, c, 1) + repeated(c, 3) + conv(2 * c, b, 1) + full(b) + conv(2 * b, b, 1) + full(b);
  const back = conv(b, b, 3) + repeated(c, 3) + conv(c, c, 3) + repeated(d, 2);
  const [box, cls] = [64, Math.max(b, 80)];
  const head = [b, c, d]
    .map(
      (from) =>
        conv(from, box, 3) + conv(box, box, 3) + box * 64 + 64 + conv(from, cls, 3) + conv(cls, cls, 3) + cls * 80 + 80,
    )
    .reduce((sum, n) => sum + n, 0);
  const network = networkOf(`(width: ${width}, depth2: ${n2}, depth3: ${n3}, depth4: ${n4}, depth5: ${n5})`);
  const learned = [...network.params].filter(([name]) => !/\.(mean|variance)$/.test(name));
  const parameters = learned.reduce((sum, [, { tensor }]) => sum + elementCount(tensor.shape), 0);
  expect(parameters).toBe(backbone + pyramid + up + back + head);
  expect(parameters / 1e6).toBeCloseTo(million, 1);
});

it('the head has a row of sides and classes for each place of strides 8, 16 and 32', () => {
  const network = networkOf('(classes: 3, size: 64, width: 8, depth3: 1, depth4: 1, bins: 4)');
  expect(network.ops.find(({ id }) => id === network.outputs[0])!.type.shape).toEqual([
    (8 * 8 + 4 * 4 + 2 * 2) * (4 * 4 + 3),
  ]);
});
