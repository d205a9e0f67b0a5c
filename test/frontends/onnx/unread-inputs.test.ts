import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import { inputParts } from '../../../src/network/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { type Arrays, integers, writeNpz } from '../../support/npz.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { compareWithOnnxruntime, imported, randomFloats, randomInts } from './harness.js';

const count = 6;
const floats = (seed: number, shape: readonly number[]): Arrays[string] => ({
  shape: [count, ...shape],
  data: randomFloats(seed, count * shape.reduce((all, n) => all * n, 1)),
});

/** Rows of 5 and of 3 numbers, a mask that nothing reads, and a plan of which only the size is used. */
function masked(): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('mask', ['N', 7]);
  const row = b.fakeQuant(b.input('row', ['N', 5]), 0.02, 128);
  const plan = b.input('plan', ['N', 2, 4]);
  const other = b.fakeQuant(b.input('other', ['N', 3]), 0.02, 128);
  const size = b.node('Slice', [b.node('Shape', [plan]), b.ints('from', [2]), b.ints('to', [3])]);
  b.constant('w_q', { type: 'int8', dims: [8, 12], values: randomInts(3, 96, -90, 90) });
  const w = b.node('DequantizeLinear', ['w_q', b.scalar('w_s', 'float', 0.01)]);
  const joined = b.fakeQuant(b.node('Concat', [row, other], { axis: 1 }), 0.02, 128);
  const hidden = b.fakeQuant(b.node('MatMul', [joined, w]), 0.02, 0);
  const folded = b.node('Reshape', [
    hidden,
    b.node('Concat', [b.ints('rest', [-1]), b.ints('three', [3]), size], { axis: 0 }),
  ]);
  return b.output(b.node('ReduceMean', [folded], { axes: [2], keepdims: 0 })).bytes();
}

it('an input whose numbers nothing depends on is none of the network; its file is fed with zeros', async () => {
  const { network, row, sourceInputs, unread } = imported(masked());
  expect([sourceInputs, unread].map((inputs) => inputs.map(({ name }) => name))).toEqual([
    ['row', 'other'],
    ['mask', 'plan'],
  ]);
  expect(row.shape).toEqual([8]);
  expect(inputParts(network).map(({ name, start, end }) => [name, start, end])).toEqual([
    ['row', 0, 5],
    ['other', 5, 8],
  ]);

  const folder = temporaryFolder();
  const path = join(folder, 'net.onnx');
  writeFileSync(path, masked());
  const labels = { shape: [count], data: integers(Array.from({ length: count }, (_, i) => i % 3)) };
  const arrays = { row: floats(1, [5]), other: floats(2, [3]), mask: floats(4, [7]), labels };
  const dataset = openDataset(writeNpz(join(folder, 'data.npz'), arrays));
  const options = { coding: 'sws', silent: 7, calibrate: dataset, outDir: join(folder, 'out') } as const;
  const { value, diagnostics } = await driver.convertOnnx(path, options);
  expect(diagnostics).toEqual([]);
  expect(value!.verified!.compared).toBe(value!.verified!.layers);
  expect(value!.check).toMatchObject({ inputs: 'calibration', samples: count, agreement: 1, differing: 0 });
  const evaluated = await driver.evaluateTarget({ path: value!.model }, { dataset, normalisation: {} });
  expect(evaluated.value!.source!.agreement).toBe(1);
});

it('integers that are reshaped before they are dequantised are drawn, and compared, as integers of their range', async () => {
  const b = new OnnxBuilder(13);
  const flat = b.node('Reshape', [b.input('x', ['N', 4, 4, 1], 'int8'), b.ints('shape', [-1, 1, 4, 4])]);
  const [scale, zero] = [b.scalar('s', 'float', 0.5), b.scalar('z', 'int8', 83)];
  const x = b.node('DequantizeLinear', [flat, scale, zero]);
  b.constant('w_q', { type: 'int8', dims: [2, 1, 3, 3], values: randomInts(3, 18, -90, 90) });
  const w = b.node('DequantizeLinear', ['w_q', b.scalar('w_s', 'float', 0.01)]);
  const maps = b.fakeQuant(b.node('Conv', [x, w]), 0.5, 0);
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'net.onnx'), b.output(b.node('Flatten', [maps])).bytes());
  const options = { coding: 'sws', silent: 7, outDir: join(folder, 'out') } as const;
  const { value, diagnostics } = await driver.convertOnnx(join(folder, 'net.onnx'), options);
  expect(diagnostics).toEqual([]);
  expect(value!.check).toMatchObject({ agreement: 1, differing: 0 });
  const { network } = imported(b.bytes());
  expect(inputParts(network)).toMatchObject([{ range: { low: -128, high: 127 } }]);
});

it('a constant is quantised from the float32 that its codes stand for', async () => {
  const b = new OnnxBuilder(13);
  const x = b.fakeQuant(b.input('x', ['N', 4]), 0.02, 128);
  b.constant('c_q', { type: 'uint8', dims: [4], values: [255, 254, 128, 3] });
  // 255 · 0.0627451 is 16.00000095, in float32 16; 16/0.1254902 lies just below 127.5, the other just above it
  const real = b.node('DequantizeLinear', ['c_q', b.scalar('fine', 'float', 0.062745101749897)]);
  const again = b.fakeQuant(b.node('Add', [real, b.floats('none', [4], [0, 0, 0, 0])]), 0.1254902, 0);
  const bytes = b.output(b.node('Mul', [x, again])).bytes();
  const { compared } = await compareWithOnnxruntime(bytes, randomFloats(5, 4, 2));
  expect(compared).toBeGreaterThan(1);
});
