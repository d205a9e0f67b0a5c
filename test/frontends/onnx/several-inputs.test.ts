import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import type { Outcome } from '../../../src/base/diagnostics/index.js';
import { driver } from '../../../src/commands/index.js';
import { openDataset } from '../../../src/data/index.js';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { inputParts } from '../../../src/network/index.js';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { bytesOf, npyBytes, zipBytes } from '../../data/builders.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { codes, imported, randomFloats, randomInts, randomNumbers, refused } from './harness.js';

const weights = (b: OnnxBuilder, name: string, dims: readonly number[]): string => {
  const count = dims.reduce((all, n) => all * n, 1);
  b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(count + dims.length, count, -90, 90) });
  b.scalar(`${name}_s`, 'float', 0.011);
  return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`]);
};

/** An image [2, 3, 3] and a row of 5 numbers; each through a layer of its own, joined, and a last layer. */
function imageAndRow(batch: number | string = 'N'): Uint8Array {
  const b = new OnnxBuilder(13);
  const image = b.fakeQuant(b.input('the image', [batch, 2, 3, 3]), 0.02, 128);
  const row = b.fakeQuant(b.input('row', [batch, 5]), 0.03, 100);
  const maps = b.fakeQuant(b.node('Conv', [image, weights(b, 'c', [3, 2, 2, 2])]), 0.03, 0);
  const flat = b.node('Flatten', [maps]);
  const other = b.fakeQuant(b.node('Gemm', [row, weights(b, 'r', [5, 4])]), 0.03, 0);
  const joined = b.fakeQuant(b.node('Concat', [flat, other], { axis: 1 }), 0.03, 0);
  return b.output(b.node('Gemm', [joined, weights(b, 'h', [16, 3])])).bytes();
}

/** Ids of 6 words and of 2 kinds: rows of two tables, added up. */
function tokens(type: 'int64' | 'int32' = 'int64'): Uint8Array {
  const b = new OnnxBuilder(13);
  const ids = b.input('ids', ['N', 6], type);
  const kinds = b.input('kinds', ['N', 6], type);
  const words = b.fakeQuant(b.node('Gather', [weights(b, 'words', [11, 4]), ids]), 0.012, 120);
  const kind = b.fakeQuant(b.node('Gather', [b.floats('kind', [2, 4], randomFloats(3, 8)), kinds]), 0.012, 120);
  const sum = b.fakeQuant(b.node('Add', [words, kind]), 0.02, 128);
  const each = b.fakeQuant(b.node('MatMul', [sum, weights(b, 'e', [4, 5])]), 0.02, 0);
  return b.output(b.node('Gemm', [b.node('Flatten', [each]), weights(b, 'h', [30, 3])])).bytes();
}

/** The file's output in onnxruntime, of inputs by name. */
async function theirs(bytes: Uint8Array, feeds: Readonly<Record<string, ort.Tensor>>): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' });
  const results = await session.run(feeds);
  await session.release();
  return Object.values(results)[0]!.data as Float32Array;
}

it('several inputs are parts of one row, in the file’s order', async () => {
  const { network, row, sourceInputs } = imported(imageAndRow());
  expect(sourceInputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['the image', [2, 3, 3]],
    ['row', [5]],
  ]);
  expect(row).toMatchObject({ name: 'inputs', shape: [23] });
  expect(inputParts(network).map(({ name, start, end }) => [name, start, end])).toEqual([
    ['the image', 0, 18],
    ['row', 18, 23],
  ]);
  const numbers = randomFloats(4, 23, 2);
  const wanted = await theirs(imageAndRow(), {
    'the image': new ort.Tensor('float32', numbers.slice(0, 18), [1, 2, 3, 3]),
    row: new ort.Tensor('float32', numbers.slice(18), [1, 5]),
  });
  const found = evaluateAnn(network, Float64Array.from(numbers)).get(network.outputs[0]!)!;
  found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
});

it.each(['int64', 'int32'] as const)('%s ids choose rows of tables, quantised or not', async (type) => {
  const { network } = imported(tokens(type));
  expect(network.ops.filter(({ kind }) => kind === 'embedding')).toHaveLength(2);
  expect(inputParts(network).map(({ range }) => range)).toEqual([
    { low: 0, high: 10, whole: true },
    { low: 0, high: 1, whole: true },
  ]);
  const ids = [...randomInts(8, 6, 0, 10), ...randomInts(9, 6, 0, 1)];
  const given = (values: readonly number[]): ort.Tensor =>
    type === 'int64'
      ? new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, 6])
      : new ort.Tensor('int32', Int32Array.from(values), [1, 6]);
  const wanted = await theirs(tokens(type), { ids: given(ids.slice(0, 6)), kinds: given(ids.slice(6)) });
  const found = evaluateAnn(network, Float64Array.from(ids)).get(network.outputs[0]!)!;
  found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
});

/** Writes an NPZ file of arrays by name. */
function npz(arrays: Readonly<Record<string, readonly [string, readonly number[], Uint8Array]>>): string {
  const path = join(temporaryFolder(), 'data.npz');
  const members = Object.entries(arrays).map(([name, [type, shape, data]]) => ({
    name: `${name}.npy`,
    data: npyBytes(`'${type}'`, shape, data),
  }));
  writeFileSync(path, zipBytes(members));
  return path;
}

it('convert and eval feed a file’s inputs by name, and every code is that of exact arithmetic', async () => {
  const samples = 12;
  const next = randomNumbers(5);
  const floats = (count: number): Uint8Array => bytesOf(Float32Array.from({ length: count }, () => 4 * next() - 2));
  const ids = (count: number, words: number): Uint8Array =>
    bytesOf(BigInt64Array.from({ length: count }, () => BigInt(Math.floor(next() * words))));
  const labels = ['<i8', [samples], bytesOf(new BigInt64Array(samples))] as const;
  const cases = [
    [
      imageAndRow(),
      npz({
        row: ['<f4', [samples, 5], floats(samples * 5)],
        'the image': ['<f4', [samples, 2, 3, 3], floats(samples * 18)],
        labels,
      }),
    ],
    [
      tokens(),
      npz({
        kinds: ['<i8', [samples, 6], ids(samples * 6, 2)],
        labels,
        ids: ['<i8', [samples, 6], ids(samples * 6, 11)],
      }),
    ],
  ] as const;
  for (const [bytes, data] of cases) {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'net.onnx'), bytes);
    const { value: converted, diagnostics } = await driver.convertOnnx(join(folder, 'net.onnx'), {
      coding: 'sws',
      silent: 7,
      outDir: join(folder, 'out'),
    });
    expect(diagnostics).toEqual([]);
    expect(converted!.verified!.compared).toBe(converted!.verified!.layers);
    expect(converted!.check!.layers!.reduce((sum, { differing }) => sum + differing, 0)).toBe(0);
    const dataset = openDataset(`npz:${data}`);
    const options = { dataset, normalisation: {}, stages: true };
    const { value } = await driver.evaluateTarget({ path: converted!.model }, options);
    expect(value!.samples).toBe(samples);
    expect(value!.source!.agreement).toBe(1);
    for (const { before } of value!.stages!.slice(2)) expect(before).toMatchObject({ agreement: 1, differing: 0 });
    // a compiled folder takes the same file
    const compiled = await driver.evaluateTarget({ path: join(folder, 'out') }, { dataset, normalisation: {} });
    expect(compiled.value!.accuracy).toBe(value!.accuracy);
  }
});

it('an array that a network’s inputs don’t name, or of another size, is said', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'net.onnx'), imageAndRow());
  const options = { coding: 'sws', silent: 2, verify: 'none', outDir: join(folder, 'out') } as const;
  const { model } = (await driver.convertOnnx(join(folder, 'net.onnx'), options)).value!;
  const failing = async (spec: string): Promise<readonly string[]> => {
    const dataset = openDataset(`npz:${spec}`);
    const run = driver.evaluateTarget({ path: model }, { dataset, normalisation: {} });
    return run.then(
      ({ diagnostics }) => diagnostics.map(({ code }) => code),
      (error: { readonly diagnostics: readonly { readonly code: string }[] }) =>
        error.diagnostics.map(({ code }) => code),
    );
  };
  const floats = (shape: readonly number[]): readonly [string, readonly number[], Uint8Array] => [
    '<f4',
    shape,
    new Uint8Array(4 * shape.reduce((all, n) => all * n, 1)),
  ];
  const labels = ['<i8', [2], new Uint8Array(16)] as const;
  expect(await failing(npz({ picture: floats([2, 2, 3, 3]), row: floats([2, 5]), labels }))).toEqual([
    'data/no-samples',
  ]);
  expect(await failing(npz({ 'the image': floats([2, 2, 3, 3]), row: floats([2, 6]), labels }))).toEqual([
    'data/shape-mismatch',
  ]);
  expect(await failing(npz({ 'the image': floats([2, 2, 3, 3]), row: floats([3, 5]), labels }))).toEqual([
    'data/count-mismatch',
  ]);
});

it('ids beyond a table’s rows are refused by sample and input, wherever data come in', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'net.onnx'), tokens());
  const options = { coding: 'sws', silent: 2, verify: 'none', outDir: join(folder, 'out') } as const;
  const { model } = (await driver.convertOnnx(join(folder, 'net.onnx'), options)).value!;
  const ids = (last: bigint): readonly [string, readonly number[], Uint8Array] => {
    const values = new BigInt64Array(18);
    values[17] = last;
    return ['<i8', [3, 6], bytesOf(values)];
  };
  const labels = ['<i8', [3], new Uint8Array(24)] as const;
  const said = async (run: Promise<Outcome<unknown>>): Promise<readonly string[]> => {
    const { diagnostics } = await run.catch((error: Outcome<unknown>) => error);
    return diagnostics.map(({ code, message }) => `${code}: ${message}`);
  };
  for (const last of [11n, -1n]) {
    const dataset = openDataset(`npz:${npz({ ids: ids(last), kinds: ids(1n), labels })}`);
    const evaluated = driver.evaluateTarget({ path: model }, { dataset, normalisation: {} });
    const again = { ...options, verify: 'sample', calibrate: dataset, outDir: join(folder, 'again') } as const;
    const refusal = `sample 2 of "${dataset.name}" has ${last} in the input "ids", whose ids choose one of 11 rows: 0 to 10`;
    expect(await said(evaluated)).toEqual([`data/no-such-row: ${refusal}`]);
    expect(await said(driver.convertOnnx(join(folder, 'net.onnx'), again))).toEqual([`data/no-such-row: ${refusal}`]);
    expect(existsSync(join(folder, 'again'))).toBe(false);
  }
});

it('ids that are computed and batches that differ are refused by name', () => {
  const computed = new OnnxBuilder(13);
  computed.input('x', ['N', 4]);
  const ids = computed.node('Cast', [computed.node('Floor', ['x'])], { to: 7 });
  computed.output(computed.node('Gather', [computed.floats('t', [5, 3], randomFloats(1, 15)), ids]));
  expect(codes(refused(computed.bytes()))).toEqual(['onnx/unsupported-form']);
  const two = new OnnxBuilder(13);
  const sum = two.node('Add', [two.input('x', [1, 4]), two.input('y', [2, 4])]);
  const { diagnostics } = importOnnx({ name: 'two.onnx', bytes: two.output(sum).bytes() });
  expect(codes(diagnostics)).toEqual(['onnx/input-shape']);
});
