import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { tensor } from '../../src/base/dtype.js';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { openOnnxSource } from '../../src/engines/index.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const cases = '../shared/cases/turn2';
const present = existsSync(cases);
if (!present) console.warn(`skipped: the cases in ${cases} are absent`);

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  if (value === undefined) throw new Error(diagnostics.map((d) => `${d.code}: ${d.message}`).join('\n'));
  return value;
}

async function converted(onnx: string): Promise<string> {
  const outDir = join(temporaryFolder(), basename(onnx, '.onnx'));
  return valueOf(await driver.convertOnnx(onnx, { coding: 'sws', steps: 8, silent: 8, outDir })).model;
}

/** The file's own outputs for the numbers of a data set in the file's own order, by onnxruntime. */
async function outputsOfFile(
  onnx: string,
  data: string,
): Promise<{ readonly rows: number[][]; readonly labels: Int32Array }> {
  const bytes = new Uint8Array(readFileSync(onnx));
  const { sourceInputs, sourceOutput } = valueOf(importOnnx({ name: onnx, bytes }));
  const dataset = openDataset(data);
  const { images, labels } = dataset.read(0, dataset.length);
  const source = await openOnnxSource(bytes, { name: onnx });
  const input = tensor('f32', [dataset.length, ...sourceInputs[0]!.shape], Float32Array.from(images));
  const found = (await source.run({ [sourceInputs[0]!.name]: input }))[sourceOutput.name]!;
  await source.dispose();
  const width = found.data.length / dataset.length;
  const rows = Array.from({ length: dataset.length }, (_, n) => [...found.data.slice(n * width, (n + 1) * width)]);
  return { rows, labels };
}

const greatest = (row: readonly number[]): number => row.indexOf(Math.max(...row));

it.skipIf(!present).each(['onnx/feat_6', 'onnx/mlp_features', 'onnx/npz_12x20x1', 'toolchains/tflite-cnn-float-io'])(
  '%s is evaluated on its data: the source’s accuracy is onnxruntime’s, and all predictions agree',
  async (name) => {
    const onnx = `${cases}/${name}.onnx`;
    const data = `npz:${cases}/${name}.npz`;
    const { rows, labels } = await outputsOfFile(onnx, data);
    const right = rows.filter((row, n) => greatest(row) === labels[n]).length;
    const result = valueOf(
      await driver.evaluateTarget({ path: await converted(onnx) }, { dataset: openDataset(data), normalisation: {} }),
    );
    expect(result.source).toEqual({ accuracy: right / rows.length, agreement: 1 });
    expect(result.accuracy).toBe(right / rows.length);
  },
  240_000,
);

it.skipIf(!present)(
  'a network that takes [28, 28, 1] is evaluated on MNIST’s [1, 28, 28]',
  async () => {
    const path = await converted(`${cases}/toolchains/tflite-cnn-float-io.onnx`);
    const eight = valueOf(
      await driver.evaluateTarget({ path }, { dataset: openDataset('mnist:test'), normalisation: {}, limit: 8 }),
    );
    expect(eight).toMatchObject({ samples: 8, source: { agreement: 1 } });
  },
  240_000,
);

it.skipIf(!present)(
  'one probability at the end tells two classes apart at 0.5, its logit at 0',
  async () => {
    const onnx = `${cases}/onnx/sigmoid1_eval.onnx`;
    const data = `npz:${cases}/onnx/sigmoid1_eval.npz`;
    const { rows, labels } = await outputsOfFile(onnx, data);
    const right = rows.filter(([p], n) => (p! > 0.5 ? 1 : 0) === labels[n]).length / rows.length;
    expect(rows.every(([p]) => p! >= 0 && p! <= 1)).toBe(true);
    const path = await converted(onnx);
    const result = valueOf(await driver.evaluateTarget({ path }, { dataset: openDataset(data), normalisation: {} }));
    expect(result).toMatchObject({ accuracy: right, source: { accuracy: right, agreement: 1 } });
  },
  240_000,
);

/** A network of one layer without time: outputs are W·x, W all 0.5. */
function linearNetwork(outputs: number): string {
  const path = join(temporaryFolder(), 'l.spike');
  writeFileSync(
    path,
    `use "spikec/neurons" { LIF }\nnetwork L { input x: real[3]\n  output x | linear(4) | spike | linear(${outputs}) }\nconfig c { network L neuron LIF coding direct(steps: 2) train { data "npz:a.npz" optimizer adam(lr: 1e-2) epochs 1 batch 2 } }\n`,
  );
  return path;
}

function npzOf(labels: Float32Array | Int32Array, rows: readonly number[]): string {
  const path = join(temporaryFolder(), 'a.npz');
  const x = Float32Array.from({ length: 3 * rows[0]! }, (_, i) => Math.sin(i) * 2);
  const type = labels instanceof Int32Array ? "'<i4'" : "'<f4'";
  writeFileSync(
    path,
    zipBytes([
      { name: 'x.npy', data: npyBytes("'<f4'", [rows[0]!, 3], bytesOf(x)) },
      { name: 'y.npy', data: npyBytes(type, rows, bytesOf(labels)) },
    ]),
  );
  return `npz:${path}`;
}

it('labels that are numbers give errors in place of an accuracy: of zeros, what the outputs themselves are', async () => {
  const path = linearNetwork(2);
  const numbers = (values: readonly number[]) => npzOf(Float32Array.from(values), [4, 2]);
  const evaluate = async (values: readonly number[]) =>
    valueOf(await driver.evaluateTarget({ path }, { dataset: openDataset(numbers(values)), normalisation: {} }));
  const zero = await evaluate([0, 0, 0, 0, 0, 0, 0, 0]);
  expect(zero.accuracy).toBeUndefined();
  expect(zero.regression!.r2).toBeUndefined();
  // the outputs themselves, from a distance to numbers far below and above: MAE(−100) = 100 + mean
  const below = await evaluate(Array.from({ length: 8 }, () => -100));
  const above = await evaluate(Array.from({ length: 8 }, () => 100));
  expect(below.regression!.mae + above.regression!.mae).toBeCloseTo(200, 5);
  const mean = below.regression!.mae - 100;
  // Σ(y + 100)² = Σy² + 200·Σy + 100²
  expect(below.regression!.rmse ** 2).toBeCloseTo(zero.regression!.rmse ** 2 + 200 * mean + 1e4, 2);
  expect(zero.regression!.outputs).toHaveLength(2);
});

it('labels that are all the same are said: an accuracy on them means nothing', async () => {
  const dataset = openDataset(npzOf(Int32Array.of(0, 0, 0, 0), [4]));
  const { diagnostics } = await driver.evaluateTarget({ path: linearNetwork(2) }, { dataset, normalisation: {} });
  expect(diagnostics.map(({ code }) => code)).toEqual(['data/one-class']);
});

it('training refuses labels of another number of numbers than outputs, and a single output for classes', async () => {
  const codes = async (outputs: number, data: string) => {
    const run = join(temporaryFolder(), 'run');
    const { value, diagnostics } = await driver.trainTarget({ path: linearNetwork(outputs) }, { data, run });
    if (value !== undefined) return [];
    return diagnostics.map(({ code }) => code);
  };
  expect(await codes(2, npzOf(Float32Array.of(0, 1, 0, 1), [4]))).toEqual(['data/target-mismatch']);
  expect(await codes(1, npzOf(Float32Array.of(0, 1, 0, 1), [4]))).toEqual([]);
  expect(await codes(1, npzOf(Int32Array.of(0, 1, 0, 1), [4]))).toEqual(['data/one-output']);
});
