import { expect, it } from 'vitest';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { convertsExactly } from '../frontends/onnx/exact-snn.js';
import { randomInts } from '../frontends/onnx/harness.js';

/** Two quantised layers added up and quantised, and what stands behind the sum; a last layer. */
function behindASum(make: (b: OnnxBuilder, sum: string) => string): Uint8Array {
  const b = new OnnxBuilder(14);
  const x = b.fakeQuant(b.input('x', ['N', 6]), 0.021, 117);
  const layer = (name: string, from: string, dims: readonly [number, number]): string => {
    b.constant(`${name}_q`, {
      type: 'int8',
      dims,
      values: randomInts(dims[0] + name.length, dims[0] * dims[1], -90, 90),
    });
    return b.node('Gemm', [from, b.node('DequantizeLinear', [`${name}_q`, b.scalar(`${name}_s`, 'float', 0.0113)])]);
  };
  const parts = ['a', 'other'].map((name) => b.fakeQuant(layer(name, x, [6, 5]), 0.0307, 120));
  const sum = b.fakeQuant(b.node('Add', parts), 0.0511, 125);
  return b.output(layer('h', make(b, sum), [5, 3])).bytes();
}

it.each<[string, (b: OnnxBuilder, sum: string) => string]>([
  ['Q(sigmoid(Q(a + b)))', (b, sum) => b.fakeQuant(b.node('Sigmoid', [sum]), 0.0039, 0)],
  [
    'Q(s·Q(sigmoid(s))), s = Q(a + b)',
    (b, sum) => b.fakeQuant(b.node('Mul', [sum, b.fakeQuant(b.node('Sigmoid', [sum]), 0.0039, 0)]), 0.041, 20),
  ],
])('a function of a quantised sum is a table of the sum’s codes: %s', async (_, make) => {
  const { spiking } = await convertsExactly(behindASum(make));
  expect(spiking.ops.some(({ kind }) => kind === 'neuron')).toBe(true);
});
