import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { idxBytes } from '../data/builders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A linear layer of four pixels whose input is quantised from −zero·0.02 up. */
function network(zeroPoint: number): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 1, 2, 2]);
  const scale = b.floats('scale', [], [0.02]);
  const zero = b.constant('zero', { type: 'uint8', dims: [], values: [zeroPoint] });
  const codes = b.node('QuantizeLinear', ['image', scale, zero]);
  const image = b.node('Flatten', [b.node('DequantizeLinear', [codes, scale, zero])]);
  b.output(b.node('Gemm', [image, b.floats('w', [2, 4], [1, 0, 0, 0, 0, 1, 0, 0])], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

it.each([
  ['an input from −2.4 to 2.7 is told of --mean and --std', 120, {}, ['data/not-normalised']],
  ['with these nothing is said', 120, { mean: [0.5], std: [0.25] }, []],
  ['nor where the range begins near 0', 3, {}, []],
] as const)('%s', async (_, zero, normalisation, expected) => {
  const folder = temporaryFolder();
  const file = join(folder, 'net.onnx');
  writeFileSync(file, network(zero));
  writeFileSync(join(folder, 'images'), idxBytes([2, 2, 2], [255, 0, 0, 0, 0, 255, 0, 0]));
  writeFileSync(join(folder, 'labels'), idxBytes([2], [0, 1]));
  const dataset = openDataset(`idx:${join(folder, 'images')},${join(folder, 'labels')}`);
  const outDir = join(folder, 'out');
  await driver.convertOnnx(file, { coding: 'sws', silent: 2, outDir });
  // with its source, and the folder alone
  for (const path of [join(outDir, 'net.spike'), outDir]) {
    const { value, diagnostics } = await driver.evaluateTarget({ path }, { dataset, normalisation });
    expect(value!.accuracy).toBe(1);
    expect(diagnostics.filter(({ severity }) => severity !== 'note').map(({ code }) => code)).toEqual(expected);
  }
});
