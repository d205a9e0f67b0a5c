import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { printNeuron, withoutRanges } from '../../src/equations/index.js';
import { burstNeuron } from '../../src/lower/program/carriers/burst.js';
import { firstSpikeNeuron } from '../../src/lower/program/carriers/ttfs.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { libraryNeurons } from '../../src/workspace/files.js';
import { conversionCodings } from '../../src/workspace/types.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it.each(conversionCodings)('a network without activations, its input alone in spikes, converts: %s', async (coding) => {
  const folder = temporaryFolder();
  const b = new OnnxBuilder(13);
  const pooled = b.node('AveragePool', [b.fakeQuant(b.input('x', ['N', 1, 4, 4]), 0.05, 128)], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  const weights = [1, -2, 3, 0.5, -1, 2, 0.25, -3];
  b.output(b.node('Gemm', [b.node('Flatten', [pooled]), b.floats('w', [2, 4], weights)], { transB: 1 }));
  const file = join(folder, 'linear.onnx');
  writeFileSync(file, b.bytes());
  const { value, diagnostics } = await driver.convertOnnx(file, { coding, outDir: join(folder, 'out') });
  // under a threshold that falls with the input, values that come late count less: an approximation, and said to be one
  const isApproximate = coding === 'ttfs_dynamic';
  expect(diagnostics.map(({ code }) => code)).toEqual(isApproximate ? ['convert/snn-differs'] : []);
  if (isApproximate) expect(value!.check!.agreement).toBeGreaterThan(0.7);
  else expect(value!.check!.agreement).toBe(1);
});

it('neurons that encode are those of the library', () => {
  const library = libraryNeurons();
  for (const own of [burstNeuron, firstSpikeNeuron]) {
    expect(printNeuron(own)).toBe(printNeuron(withoutRanges(library.get(own.name)!)));
  }
});
