import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { type Arrays, integers, writeNpz } from '../support/npz.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train } from '../support/tiny-training.js';
import { random } from '../tensor/cases.js';

const count = 40;
/** Images [3, 4, 5] and rows of 6 numbers; as 2 frames, [2, 3, 4, 5] and [2, 6]. */
const [pixels, numbers] = [60, 6];

const body = (readout = ''): string => `
  a = image | conv(4) | spike | flatten
  b = vec | linear(6) | spike
  output concat(a, b) | linear(3)${readout}`;

const modelOf = (inputs: string, coding: string): string => `use "spikec/neurons" { LIF }
network N { ${inputs} ${body()} }
config c { network N  neuron LIF(theta: 0.3)  coding ${coding}
  train { optimizer adam(lr: 1e-2)  batch 8  epochs 2  seed 2  validation 0.2 } }
`;
const two = 'input image: real[3, 4, 5]  input vec: real[6]';
/** The same network with one input, whose numbers it takes apart itself. */
const one = `input row: real[66]
  image = row | slice(0, 60) | reshape([3, 4, 5])
  vec = row | slice(60, 66)`;

/** Numbers of several inputs, each with so many a step and sample; and all of a step in a row. */
function drawn(steps: number): { image: Float32Array; vec: Float32Array; row: Float32Array } {
  const next = random(7);
  const floats = (width: number): Float32Array =>
    Float32Array.from({ length: count * steps * width }, () => 2 * next());
  const [image, vec] = [floats(pixels), floats(numbers)];
  const rows = Array.from({ length: count * steps }, (_, i) => [
    ...image.subarray(i * pixels, (i + 1) * pixels),
    ...vec.subarray(i * numbers, (i + 1) * numbers),
  ]);
  return { image, vec, row: Float32Array.from(rows.flat()) };
}

const labels = { shape: [count], data: integers(Array.from({ length: count }, (_, i) => i % 3)) };

function placed(model: string, arrays: Arrays): { folder: string; model: string; data: string } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'net.spike'), model);
  return { folder, model: join(folder, 'net.spike'), data: writeNpz(join(folder, 'data.npz'), arrays) };
}

/** [3, 4, 5] → [4, 5, 3]. */
const channelsLast = (image: Float32Array): Float32Array =>
  image.map((_, i) => image[Math.floor(i / pixels) * pixels + (i % 3) * 20 + Math.floor((i % pixels) / 3)]!);

it.each([
  ['direct(steps: 2)', 1, 'first'],
  ['direct(steps: 2)', 1, 'last'],
  ['events(steps: 2)', 2, 'first'],
] as const)(
  'several inputs, fed by name, are a row that the network takes apart: %s, %i steps, channels %s',
  async (coding, steps, end) => {
    const { image, vec, row } = drawn(steps);
    const frames = steps > 1 ? [steps] : [];
    const ofRow = await train(
      placed(modelOf(one, coding), { x: { shape: [count, ...frames, 66], data: row }, labels }),
    );
    const named = placed(modelOf(two, coding), {
      image:
        end === 'first'
          ? { shape: [count, ...frames, 3, 4, 5], data: image }
          : { shape: [count, 4, 5, 3], data: channelsLast(image) },
      vec: { shape: [count, ...frames, 6], data: vec },
      labels,
    });
    const { records, run, codes, diagnostics } = await train(named);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(codes.includes('data/channels-moved')).toBe(end === 'last');
    expect(timeless(records)).toEqual(timeless(ofRow.records));
    const { value } = await driver.evaluateTarget(
      { path: run },
      { dataset: openDataset(named.data), normalisation: {} },
    );
    expect(value?.samples).toBe(count);
  },
);

const { image: images, vec: rows } = drawn(1);
const image = { shape: [count, 3, 4, 5], data: images };
const vec = { shape: [count, 6], data: rows };

it.each<[string, Arrays, string]>([
  ['an input without an array', { image, labels }, 'data/no-samples'],
  ['an array that is called as samples are', { images: image, vec, labels }, 'data/no-samples'],
  ['an array of another shape', { image, vec: { shape: [count, 2, 3], data: rows }, labels }, 'ok'],
  [
    'axes in an order that nothing says',
    { image: { shape: [count, 5, 4, 3], data: images }, vec, labels },
    'data/shape-mismatch',
  ],
  ['fewer rows', { image, vec: { shape: [count / 2, 12], data: rows }, labels }, 'data/shape-mismatch'],
  [
    'fewer samples',
    { image, vec: { shape: [count / 2, 6], data: rows.subarray(0, 120) }, labels },
    'data/count-mismatch',
  ],
  ['no labels', { image, vec }, 'data/bad-npz'],
])('data that don’t fit several inputs are refused by name: %s', async (_, arrays, code) => {
  const { codes } = await train(placed(modelOf(two, 'direct(steps: 2)'), arrays));
  expect(codes.at(-1) ?? 'ok').toBe(code);
});

it('inputs may be called as labels and samples are', async () => {
  const model = modelOf(two, 'direct(steps: 2)').replaceAll('image', 'x').replaceAll('vec', 'y');
  const place = placed(model, { x: image, y: vec, labels });
  const { records } = await train(place);
  const usual = await train(placed(modelOf(two, 'direct(steps: 2)'), { image, vec, labels }));
  expect(records).toHaveLength(2);
  expect(timeless(records)).toEqual(timeless(usual.records));
});

it('a program of PyTorch that trains has one input', async () => {
  const place = placed(modelOf(two, 'direct(steps: 2)'), { image, vec, labels });
  const { diagnostics } = await train(place, { engine: 'torch' });
  expect(diagnostics.map(({ message }) => message).join()).toContain('several inputs');
});
