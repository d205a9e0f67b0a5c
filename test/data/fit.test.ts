import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Dataset, type Need, fitDataset, openDataset, readBatch } from '../../src/data/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { bytesOf, idxBytes, npyBytes, zipBytes } from './builders.js';

const count = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1);

/** A file of two samples whose numbers are their own places: sample n has n·1000, n·1000 + 1 … */
function numbered(
  shape: readonly number[],
  options: { readonly layout?: 'nchw' | 'nhwc'; readonly labels?: Float32Array | Int32Array; readonly rows?: readonly number[] } = {},
): Dataset {
  const size = count(shape);
  const x = Float32Array.from({ length: 2 * size }, (_, i) => 1000 * Math.floor(i / size) + (i % size));
  const labels = options.labels ?? Int32Array.of(0, 1);
  const type = labels instanceof Int32Array ? "'<i4'" : "'<f4'";
  const path = join(temporaryFolder(), 'a.npz');
  writeFileSync(
    path,
    zipBytes([
      { name: 'images.npy', data: npyBytes("'<f4'", [2, ...shape], bytesOf(x)) },
      { name: 'labels.npy', data: npyBytes(type, options.rows ?? [2], bytesOf(labels)) },
    ]),
  );
  return openDataset(`npz:${path}`, { layout: options.layout });
}

const codesOf = (dataset: Dataset, need: Partial<Need> & Pick<Need, 'shape'>): readonly string[] =>
  fitDataset(dataset, { outputs: 2, ...need }).diagnostics.map(({ code }) => code);

/** The second sample as a network with this input takes it. */
function second(dataset: Dataset, shape: readonly number[], frames = false): readonly number[] {
  const { value } = fitDataset(dataset, { shape, frames, outputs: 2 });
  expect(value?.shape).toEqual(shape);
  const { images } = readBatch(value!, 1, 1);
  expect(images.shape).toEqual([1, ...shape]);
  return [...images.data];
}

const inOrder = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => 1000 + i);

it.each([
  ['rows of numbers', [6], [6]],
  ['images whose width is that of channels', [12, 20, 1], [1, 12, 20]],
  ['images whose width is that of channels, as declared', [2, 5, 3], [2, 5, 3]],
  ['images of four columns', [3, 5, 4], [3, 5, 4]],
  ['an axis of one channel in front', [1, 4, 5], [4, 5, 1]],
  ['an axis of one channel behind', [4, 5, 1], [1, 4, 5]],
  ['no axis for one channel', [4, 5], [4, 5, 1]],
  ['an image of one channel for numbers in a row', [1, 4, 5], [20]],
  ['numbers in a row for an image of one channel', [20], [1, 4, 5]],
  ['a sequence of features', [4, 5], [4, 5]],
  ['frames over time', [3, 2, 4, 5], [3, 2, 4, 5]],
] as const)('the network’s input decides, nothing moves: %s', (_, data, input) => {
  expect(second(numbered(data), input)).toEqual(inOrder(count(data)));
});

it('channels that lie last are moved to the front when that is said, and with a note when the input alone says it', () => {
  // by hand: number (c, y, x) stands at (y·4 + x)·3 + c
  const wanted = [0, 1, 2].flatMap((c) => Array.from({ length: 8 }, (_, p) => 1000 + 3 * p + c));
  const said = numbered([2, 4, 3], { layout: 'nhwc' });
  expect(codesOf(said, { shape: [3, 2, 4] })).toEqual([]);
  expect(second(said, [3, 2, 4])).toEqual(wanted);
  const unsaid = numbered([2, 4, 3]);
  expect(codesOf(unsaid, { shape: [3, 2, 4] })).toEqual(['data/channels-moved']);
  expect(second(unsaid, [3, 2, 4])).toEqual(wanted);
});

it('a network that takes channels last gets them last, from the file or from a set with channels first', () => {
  expect(second(numbered([2, 4, 3]), [2, 4, 3])).toEqual(inOrder(24));
  expect(second(numbered([2, 4, 3], { layout: 'nhwc' }), [2, 4, 3])).toEqual(inOrder(24));
  // by hand: number (y, x, c) stands at c·8 + y·4 + x
  const wanted = Array.from({ length: 8 }, (_, p) => [0, 1, 2].map((c) => 1000 + 8 * c + p)).flat();
  expect(second(numbered([3, 2, 4], { layout: 'nchw' }), [2, 4, 3])).toEqual(wanted);
});

it('frames of channels last are moved frame by frame', () => {
  const wanted = [0, 1].flatMap((t) => [0, 1].flatMap((c) => [0, 1, 2].map((p) => 1000 + 6 * t + 2 * p + c)));
  expect(second(numbered([2, 3, 1, 2], { layout: 'nhwc' }), [2, 2, 3, 1], true)).toEqual(wanted);
});

it('rows of numbers become images of several channels only when their order is said', () => {
  expect(codesOf(numbered([24]), { shape: [3, 2, 4] })).toEqual(['data/shape-mismatch']);
  expect(codesOf(numbered([3, 2, 4]), { shape: [24] })).toEqual(['data/shape-mismatch']);
  expect(second(numbered([24], { layout: 'nchw' }), [3, 2, 4])).toEqual(inOrder(24));
  const wanted = [0, 1, 2].flatMap((c) => Array.from({ length: 8 }, (_, p) => 1000 + 3 * p + c));
  expect(second(numbered([24], { layout: 'nhwc' }), [3, 2, 4])).toEqual(wanted);
  expect(second(numbered([2, 4, 3], { layout: 'nhwc' }), [24])).toEqual(wanted);
});

it('a mismatch names both shapes and what to do', () => {
  const [found] = fitDataset(numbered([3, 2, 4]), { shape: [24], outputs: 2 }).diagnostics;
  expect(found?.message).toContain('[3, 2, 4]');
  expect(found?.message).toContain('[24]');
  expect(found?.help).toContain('--layout');
  const [events] = fitDataset(numbered([2, 4, 4]), { shape: [5, 2, 4, 4], frames: true, outputs: 2 }).diagnostics;
  expect(events?.help).toContain('5 frames a sample');
});

it('means and deviations go to the channels, wherever these lie', () => {
  const normalisation = { mean: [0, 10, 20], std: [1, 2, 4] };
  const { value: last } = fitDataset(numbered([2, 1, 3], { layout: 'nhwc' }), { shape: [2, 1, 3], outputs: 2, normalisation });
  expect([...readBatch(last!, 0, 1, normalisation).images.data]).toEqual([0, -4.5, -4.5, 3, -3, -3.75]);
  const { value: flat } = fitDataset(numbered([3, 1, 2], { layout: 'nchw' }), { shape: [6], outputs: 2, normalisation });
  expect([...readBatch(flat!, 0, 1, normalisation).images.data]).toEqual([0, 1, -4, -3.5, -4, -3.75]);
  const two = { shape: [3, 1, 2], normalisation: { mean: [1, 2] } };
  expect(codesOf(numbered([3, 1, 2]), two)).toEqual(['data/bad-normalisation']);
});

it('bytes are pixels in images and rows, counts in frames', () => {
  const path = join(temporaryFolder(), 'a.npz');
  const data = npyBytes("'|u1'", [2, 2, 3], Uint8Array.from({ length: 12 }, (_, i) => 51 * (i % 3)));
  writeFileSync(path, zipBytes([{ name: 'x.npy', data }, { name: 'y.npy', data: npyBytes("'|u1'", [2], Uint8Array.of(0, 1)) }]));
  const dataset = openDataset(`npz:${path}`);
  expect(second(dataset, [1, 2, 3])).toEqual([0, 0.2, 0.4, 0, 0.2, 0.4].map(Math.fround));
  expect(second(dataset, [2, 3], true)).toEqual([0, 51, 102, 0, 51, 102]);
});

it('16-bit pixels are read from NPZ and IDX files as they are, with a note', () => {
  const folder = temporaryFolder();
  const label = { name: 'y.npy', data: npyBytes("'|u1'", [1], Uint8Array.of(0)) };
  writeFileSync(join(folder, 'a.npz'), zipBytes([{ name: 'x.npy', data: npyBytes("'<u2'", [1, 1, 2], Uint8Array.of(255, 255, 1, 0)) }, label]));
  const npz = openDataset(`npz:${join(folder, 'a.npz')}`);
  expect([...npz.read(0, 1).images]).toEqual([65535, 1]);
  expect(npz.notes[0]).toContain('--std 65535');
  writeFileSync(join(folder, 'i'), idxBytes([1, 1, 2], [1, 0, 255, 255], 0x0b));
  writeFileSync(join(folder, 'l'), idxBytes([1], [0]));
  expect([...openDataset(`idx:${join(folder, 'i')},${join(folder, 'l')}`).read(0, 1).images]).toEqual([256, -1]);
});

it('labels that are floats are numbers to compare outputs with, where a command can', () => {
  const dataset = numbered([6], { labels: Float32Array.of(0.5, -1, 2, 3), rows: [2, 2] });
  expect(dataset.targets).toBe(2);
  expect([...dataset.read(1, 1).targets!]).toEqual([2, 3]);
  expect(codesOf(dataset, { shape: [6] })).toEqual(['data/not-classes']);
  expect(codesOf(dataset, { shape: [6], numbers: true })).toEqual([]);
  expect(codesOf(dataset, { shape: [6], numbers: true, outputs: 3 })).toEqual(['data/target-mismatch']);
});

it('one output tells two classes apart', () => {
  expect(codesOf(numbered([6]), { shape: [6], outputs: 1 })).toEqual([]);
  expect(codesOf(numbered([6], { labels: Int32Array.of(0, 2) }), { shape: [6], outputs: 1 })).toEqual(['data/class-mismatch']);
});

it('a set with a known layout isn’t said to have another', () => {
  expectDiagnostic('data/bad-layout', () => openDataset('mnist:test', { layout: 'nhwc' }));
});
