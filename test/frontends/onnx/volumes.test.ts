import { describe, expect, it } from 'vitest';
import type { Op } from '../../../src/network/types.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, compareWithOnnxruntime, randomFloats, randomInts, refused } from './harness.js';

type Attributes = Parameters<OnnxBuilder['node']>[2];

function model(dims: readonly (number | string)[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

async function agrees(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Promise<readonly Op[]> {
  const { network, compared } = await compareWithOnnxruntime(
    model(dims, make, opset),
    randomFloats(dims.length + 71, product(dims), 2),
  );
  expect(compared).toBeGreaterThan(0);
  return network.network.ops;
}

const floats = (b: OnnxBuilder, name: string, dims: readonly number[]): string =>
  b.floats(name, dims, randomFloats(name.length, product(dims)));
const kindsOf = (ops: readonly Op[]): string[] => ops.map((op) => op.kind);

describe('layers over [N, C, D, H, W]', () => {
  it.each<[string, readonly number[], readonly number[], Attributes]>([
    ['plain', [2, 4, 5, 6], [3, 2, 3, 3, 2], {}],
    ['strides, dilations and asymmetric pads', [2, 7, 9, 8], [3, 2, 2, 3, 2], { strides: [2, 1, 3], dilations: [2, 2, 1], pads: [1, 0, 2, 0, 1, 1] }],
    ['groups', [4, 3, 5, 4], [6, 2, 2, 2, 3], { group: 2 }],
    ['depthwise', [3, 5, 4, 4], [3, 1, 3, 3, 3], { group: 3, pads: [1, 1, 1, 1, 1, 1] }],
    ['auto_pad SAME_UPPER', [2, 5, 7, 8], [3, 2, 2, 4, 3], { auto_pad: 'SAME_UPPER', strides: [2, 2, 1] }],
    ['auto_pad SAME_LOWER', [2, 5, 7, 8], [3, 2, 2, 4, 3], { auto_pad: 'SAME_LOWER', strides: [1, 2, 2] }],
    ['auto_pad VALID', [2, 3, 4, 5], [3, 2, 2, 2, 2], { auto_pad: 'VALID' }],
    ['one number a place', [5, 1, 3, 1], [2, 5, 1, 1, 1], {}],
  ])('Conv: %s', async (_, dims, weight, attributes) => {
    const ops = await agrees(dims, (b) => b.node('Conv', ['x', floats(b, 'weight', weight), floats(b, 'b', [weight[0]!])], attributes));
    expect(kindsOf(ops)).toEqual(['input', 'conv3d']);
  }); // prettier-ignore

  it('a constant added behind a Conv becomes its bias', async () => {
    const ops = await agrees([2, 3, 4, 4], (b) => {
      const y = b.node('Conv', ['x', floats(b, 'weight', [3, 2, 2, 2, 2])]);
      return b.node('Add', [floats(b, 'shift', [3, 1, 1, 1]), y]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'conv3d']);
  });

  it.each<[string, Attributes]>([
    ['MaxPool', { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }],
    ['MaxPool', { kernel_shape: [3, 2, 3], strides: [1, 2, 2], pads: [1, 0, 1, 2, 1, 0] }],
    ['MaxPool', { kernel_shape: [2, 3, 2], strides: [2, 2, 3], ceil_mode: 1 }],
    ['AveragePool', { kernel_shape: [2, 3, 2], strides: [2, 1, 2] }],
    ['AveragePool', { kernel_shape: [2, 3, 2], strides: [1, 2, 2], pads: [1, 1, 0, 0, 2, 1] }],
    ['AveragePool', { kernel_shape: [2, 3, 2], strides: [1, 2, 2], pads: [1, 1, 0, 0, 2, 1], count_include_pad: 1 }],
    ['AveragePool', { kernel_shape: [2, 2, 3], strides: [2, 2, 2], ceil_mode: 1 }],
    ['GlobalAveragePool', {}],
    ['GlobalMaxPool', {}],
    ['ReduceMean', { axes: [2, 3, 4], keepdims: 1 }],
    ['ReduceMean', { axes: [-1, -2, -3], keepdims: 0 }],
    ['ReduceSum', { axes: [2, 3, 4], keepdims: 0 }],
  ])('%s %o', async (op, attributes) => {
    // ReduceSum has its axes as an input since opset 13
    await agrees([3, 5, 6, 7], (b) => b.node(op, ['x'], attributes), 12);
  });

  it('batch norm, a nonlinearity, pads and what follows it flat', async () => {
    const ops = await agrees([2, 4, 4, 4], (b) => {
      const y = b.node('Conv', ['x', floats(b, 'weight', [3, 2, 3, 3, 3])], { pads: [1, 1, 1, 1, 1, 1] });
      const v = b.floats('v', [3], [0.5, 1, 2]);
      const n = b.node('BatchNormalization', [y, floats(b, 'g', [3]), floats(b, 'be', [3]), floats(b, 'mea', [3]), v]);
      const pool = b.node('MaxPool', [b.node('Relu', [n])], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] });
      return b.node('Gemm', [b.node('Flatten', [pool]), floats(b, 'dense', [4, 24])], { transB: 1 });
    });
    expect(kindsOf(ops)).toContain('batchnorm');
    expect(kindsOf(ops).at(-1)).toBe('linear');
  });

  it('quantised, with QDQ around a Conv', async () => {
    const ops = await agrees([2, 3, 4, 5], (b) => {
      const x = b.fakeQuant('x', 0.02, 0, 'int8');
      const w = b.constant('w', { type: 'int8', dims: [3, 2, 2, 3, 2], values: randomInts(3, 72, -127, 127) });
      const zero = b.constant('wz', { type: 'int8', dims: [], values: [0] });
      const weight = b.node('DequantizeLinear', [w, b.floats('ws', [], [0.01]), zero]);
      return b.fakeQuant(b.node('Relu', [b.node('Conv', [x, weight])]), 0.05, 0);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'conv3d', 'relu', 'quantize']);
  });

  it('a quantised network of volumes converts exactly: the spiking network’s codes are those of the file', async () => {
    const b = new OnnxBuilder(13);
    b.input('x', ['N', 1, 4, 6, 6]);
    const weight = (name: string, dims: readonly number[], seed: number): string => {
      const codesOf = b.constant(name, {
        type: 'int8',
        dims: [...dims],
        values: randomInts(seed, product(dims), -127, 127),
      });
      const zero = b.constant(`${name}.zero`, { type: 'int8', dims: [], values: [0] });
      return b.node('DequantizeLinear', [codesOf, b.floats(`${name}.scale`, [], [1 / 127]), zero]);
    };
    const x = b.fakeQuant('x', 1 / 64, 0);
    const first = b.node('Conv', [x, weight('w1', [3, 1, 3, 3, 3], 1), floats(b, 'b1', [3])], {
      pads: [1, 1, 1, 1, 1, 1],
    });
    const hidden = b.fakeQuant(b.node('Relu', [first]), 1 / 32, 0);
    const pooled = b.node('MaxPool', [hidden], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] });
    const second = b.node('Conv', [pooled, weight('w2', [4, 3, 2, 2, 2], 2), floats(b, 'b2', [4])]);
    const deep = b.fakeQuant(b.node('Relu', [second]), 1 / 16, 0);
    const mean = b.fakeQuant(b.node('AveragePool', [deep], { kernel_shape: [1, 2, 2] }), 1 / 16, 0);
    b.output(b.node('Gemm', [b.node('Flatten', [mean]), weight('w3', [3, 4], 3), floats(b, 'b3', [3])], { transB: 1 }));
    const { spiking } = await convertsExactly(Uint8Array.from(b.bytes()));
    expect(spiking.ops.filter(({ kind }) => kind === 'conv3d')).toHaveLength(2);
  });

  it.each<[string, (b: OnnxBuilder) => string]>([
    ['a weight of two axes fewer', (b) => b.node('Conv', ['x', floats(b, 'w', [3, 2, 3, 3])])],
    ['windows apart in a pool', (b) => b.node('MaxPool', ['x'], { kernel_shape: [2, 2, 2], dilations: [2, 1, 1] })],
    ['transposed convolutions', (b) => b.node('ConvTranspose', ['x', floats(b, 'w', [2, 3, 2, 2, 2])])],
    ['a mean over the batch and the depth', (b) => b.node('ReduceMean', ['x'], { axes: [0, 2] })],
  ])('%s are refused', (_, make) => {
    expect(codes(refused(model([2, 4, 4, 4], make)))).toEqual(['onnx/unsupported-form']);
  });
});
