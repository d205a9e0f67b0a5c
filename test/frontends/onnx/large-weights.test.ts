import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { compareWithOnnxruntime, randomFloats } from './harness.js';

const [features, outputs] = [300, 401];
const weight = randomFloats(1, features * outputs);

/** A product with a large weight, which in the file begins so many bytes later. */
function product(opType: 'MatMul' | 'Gemm', shift: number, transB: 0 | 1 = 0): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', features]);
  const shape = transB === 1 ? [outputs, features] : [features, outputs];
  const inputs = ['x', b.floats(`w${'_'.repeat(shift)}`, shape, weight)];
  b.output(b.node(opType, inputs, opType === 'Gemm' ? { transB } : {}));
  return b.bytes();
}

it.each([0, 1, 2, 3])(
  'weights too large to be copied are read wherever they lie in the file (shift %i)',
  async (shift) => {
    for (const bytes of [product('MatMul', shift), product('Gemm', shift, 1), product('Gemm', shift)]) {
      const { network, compared } = await compareWithOnnxruntime(bytes, randomFloats(2, features));
      expect(compared).toBeGreaterThan(0);
      const [param] = [...network.network.params.values()];
      expect(param!.tensor.shape).toEqual([outputs, features]);
    }
  },
);

it.each([0, 1])('a transposed weight has its values, element by element (shift %i)', async (shift) => {
  const { network } = await compareWithOnnxruntime(product('MatMul', shift), randomFloats(2, features));
  const [param] = [...network.network.params.values()];
  const expected = new Float32Array(outputs * features);
  for (let f = 0; f < features; f++) {
    for (let o = 0; o < outputs; o++) expected[o * features + f] = weight[f * outputs + o]!;
  }
  expect(param!.tensor.data).toEqual(expected);
});
