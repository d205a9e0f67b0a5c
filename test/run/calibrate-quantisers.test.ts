import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array): { path: string; outDir: string; images: string } {
  const folder = temporaryFolder();
  const path = join(folder, 'net.onnx');
  writeFileSync(path, bytes);
  const { images, labels } = tinyImages(12);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  return { path, outDir: join(folder, 'out'), images: `idx:${join(folder, 'images')},${join(folder, 'labels')}` };
}

it('a float network converts to sws with the quantisers that calibration adds, and its codes are exact', async () => {
  const { path, outDir, images } = written(tinyFloat());
  const calibrate = openDataset(images);
  try {
    const refusal = await driver.convertOnnx(path, { coding: 'sws', silent: 8, outDir });
    expect(refusal.diagnostics.map(({ code }) => code)).toEqual(['convert/float-network']);
    expect(refusal.diagnostics[0]!.help).toContain('--calibrate DATA');
    const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', silent: 8, calibrate, outDir });
    expect(diagnostics).toEqual([]);
    expect(value!.check).toMatchObject({ inputs: 'calibration', agreement: 1, differing: 0, passed: true });
    const text = readFileSync(value!.model, 'utf8');
    expect(text).toMatch(/layer "\w+\.quant" \{ range [\d.]+ \}/);
    // what was measured is in the file: it compiles and evaluates by itself
    const evaluated = await driver.evaluateTarget({ path: value!.model }, { dataset: calibrate, normalisation: {} });
    expect(evaluated.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(evaluated.value!.source!.agreement).toBeGreaterThanOrEqual(11 / 12);
  } finally {
    calibrate.close();
  }
});

/** A layer as quantize_dynamic writes it, twice. */
function dynamicNetwork(): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 1, 6, 6]);
  const layer = (x: string, rows: number, columns: number): string => {
    const [codes, scale, zero] = ['q', 's', 'z'].map((name) => `${x}.${name}`);
    b.graph.node.push({ name: `${x}_d`, opType: 'DynamicQuantizeLinear', input: [x], output: [codes, scale, zero] });
    const values = Array.from({ length: rows * columns }, (_, i) => ((i * 37 + rows) % 91) - 45);
    const w = b.constant(`${x}.w`, { type: 'int8', dims: [rows, columns], values });
    const product = b.node('Cast', [b.node('MatMulInteger', [codes!, w, zero!])], { to: 1 });
    return b.node('Mul', [product, b.node('Mul', [scale!, b.scalar(`${x}.ws`, 'float', 0.01)])]);
  };
  const hidden = b.node('Relu', [layer(b.node('Flatten', ['x']), 36, 8)]);
  b.output(layer(hidden, 8, 3));
  return b.bytes();
}

it('dynamic quantisation is refused by name without calibration data, and static with them', async () => {
  const { path, outDir, images } = written(dynamicNetwork());
  const refusal = await driver.convertOnnx(path, { coding: 'sws', outDir });
  expect(refusal.diagnostics.map(({ code }) => code)).toEqual(['convert/dynamic-quantisers']);
  expect(refusal.diagnostics[0]!.message).toContain('2 activations have a dynamic quantiser (DynamicQuantizeLinear');
  expect(refusal.diagnostics[0]!.help).toContain('--calibrate');
  const calibrate = openDataset(images);
  try {
    const { value, diagnostics } = await driver.convertOnnx(path, { coding: 'sws', silent: 8, calibrate, outDir });
    expect(diagnostics.map(({ code }) => code)).toEqual(['onnx/dynamic-quantisers']);
    expect(value!.check).toMatchObject({ agreement: 1, differing: 0, passed: true });
  } finally {
    calibrate.close();
  }
});

it('integers that calibration finds in the input are their own codes', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 1, 6, 6]);
  const flat = b.node('Flatten', ['x']);
  b.output(
    b.node(
      'Gemm',
      [
        flat,
        b.floats(
          'w',
          [3, 36],
          Float32Array.from({ length: 108 }, (_, i) => (i % 7) - 3),
        ),
      ],
      { transB: 1 },
    ),
  );
  const { path, outDir, images } = written(b.bytes());
  const calibrate = openDataset(images);
  try {
    // pixels are bytes / 255
    const normalisation = { mean: [0], std: [1 / 255] };
    const options = { coding: 'sws', silent: 8, calibrate, normalisation, outDir } as const;
    const { value } = await driver.convertOnnx(path, options);
    expect(readFileSync(value!.model, 'utf8')).toContain('{ range 255 }');
  } finally {
    calibrate.close();
  }
});
