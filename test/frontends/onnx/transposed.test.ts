import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

type Attributes = Parameters<OnnxBuilder['node']>[2];

const count = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

function bytesOf(
  dims: readonly number[],
  weight: readonly number[],
  attributes: Attributes,
  outputs: number | undefined,
): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', ...dims]);
  const inputs = ['x', b.floats('w', weight, randomFloats(1, count(weight)))];
  if (outputs !== undefined) inputs.push(b.floats('b', [outputs], randomFloats(2, outputs)));
  b.output(b.node('ConvTranspose', inputs, attributes));
  return b.bytes();
}

describe('ConvTranspose', () => {
  const cases: readonly [string, readonly number[], readonly number[], Attributes, number?][] = [
    ['plain', [3, 4, 5], [3, 2, 3, 2], {}, 2],
    ['without bias, strides', [3, 4, 5], [3, 2, 2, 2], { strides: [2, 2] }],
    ['asymmetric pads', [2, 4, 5], [2, 3, 4, 3], { strides: [2, 3], pads: [1, 0, 2, 1] }, 3],
    ['output_padding', [2, 4, 5], [2, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }, 3],
    ['dilations', [2, 5, 5], [2, 3, 3, 2], { dilations: [2, 3], strides: [2, 1] }, 3],
    ['groups', [4, 4, 4], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }, 6],
    ['depthwise', [3, 4, 4], [3, 1, 2, 2], { group: 3, strides: [2, 2] }, 3],
    ['auto_pad SAME_UPPER', [2, 4, 5], [2, 3, 3, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }, 3],
    ['auto_pad SAME_LOWER', [2, 4, 5], [2, 3, 3, 4], { auto_pad: 'SAME_LOWER', strides: [2, 2] }, 3],
    ['auto_pad VALID', [2, 4, 5], [2, 3, 3, 4], { auto_pad: 'VALID', strides: [2, 2] }, 3],
    ['output_shape', [2, 4, 5], [2, 3, 3, 4], { output_shape: [8, 11], strides: [2, 2] }, 3],
  ];

  it.each(cases)('%s: the values are onnxruntime’s', async (_, dims, weight, attributes, outputs) => {
    const found = await compareWithOnnxruntime(
      bytesOf(dims, weight, attributes, outputs),
      randomFloats(4, count(dims)),
    );
    expect(found.compared).toBeGreaterThan(0);
    expect(found.network.network.ops.map(({ kind }) => kind)).toEqual(['input', 'transposed_conv']);
  });

  it('1-D ones are ones on images of height 1', async () => {
    const bytes = bytesOf([3, 6], [3, 2, 4], { strides: [2], pads: [1, 2] }, 2);
    const found = await compareWithOnnxruntime(bytes, randomFloats(4, 18));
    expect(found.network.network.ops.map(({ kind }) => kind)).toEqual(['input', 'reshape', 'transposed_conv']);
  });

  it('a constant added behind it becomes its bias', async () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 4, 4]);
    const y = b.node('ConvTranspose', ['x', b.floats('w', [2, 3, 2, 2], randomFloats(1, 24))], { strides: [2, 2] });
    b.output(b.node('Add', [y, b.floats('c', [3, 1, 1], [0.5, -1, 2])]));
    const found = await compareWithOnnxruntime(b.bytes(), randomFloats(4, 32));
    expect(found.network.network.ops.map(({ kind }) => kind)).toEqual(['input', 'transposed_conv']);
  });

  it.each([
    ['for the whole weight', undefined],
    ['for each output channel', 1],
  ] as const)('quantised weights keep their codes, with a scale %s', async (_, axis) => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 2, 4, 4]);
    const weight = b.constant('w', { type: 'int8', dims: [2, 3, 2, 2], values: randomInts(3, 24, -127, 127) });
    const scales = axis === undefined ? [0.01] : [0.01, 0.02, 0.005];
    const dims = axis === undefined ? [] : [3];
    const zero = b.constant('z', { type: 'int8', dims, values: scales.map(() => 0) });
    const attributes = axis === undefined ? {} : { axis };
    const real = b.node('DequantizeLinear', [weight, b.floats('s', dims, scales), zero], attributes);
    b.output(b.node('ConvTranspose', ['x', real], { strides: [2, 2] }));
    const bytes = b.bytes();
    await compareWithOnnxruntime(bytes, randomFloats(4, 32));
    const { params, ops } = imported(bytes).network;
    const param = params.get(ops.at(-1)!.params['weight']!)!;
    expect(param.tensor).toMatchObject({ dtype: 'i8', shape: [3, 2, 2, 2] });
    if (axis !== undefined) expect(param.quant?.axis).toBe(0);
    expect(param.quant?.scale.map((scale) => Math.round(scale * 1000))).toEqual(scales.map((s) => s * 1000));
  });

  it('rows that no kernel reaches, other channels and wrong kernel shapes are refused', () => {
    const code = (dims: readonly number[], weight: readonly number[], attributes: Attributes): string[] =>
      codes(refused(bytesOf(dims, weight, attributes, undefined)));
    expect(code([2, 4, 4], [2, 3, 2, 2], { output_padding: [1, 0] })).toEqual(['onnx/unsupported-form']);
    expect(code([2, 4, 4], [2, 3, 2, 2], { strides: [4, 4], auto_pad: 'SAME_UPPER' })).toEqual([
      'onnx/unsupported-form',
    ]);
    expect(code([3, 4, 4], [2, 3, 2, 2], {})).toEqual(['onnx/shape-mismatch']);
    expect(code([2, 4, 4], [2, 3, 2, 2], { kernel_shape: [3, 3] })).toEqual(['onnx/shape-mismatch']);
    expect(code([2, 4, 4, 4], [2, 3, 2, 2, 2], {})).toEqual(['onnx/unsupported-form']);
  });
});
