import { describe, expect, it } from 'vitest';
import type { Op } from '../../../src/network/types.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

function model(dims: readonly (number | string)[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

async function agrees(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Promise<readonly Op[]> {
  const count = dims.reduce((a, b) => a * b, 1);
  const { network, compared } = await compareWithOnnxruntime(
    model(dims, make, opset),
    randomFloats(dims.length + 43, count, 2),
  );
  expect(compared).toBeGreaterThan(0);
  return network.network.ops;
}

const kindsOf = (ops: readonly Op[]): string[] => ops.map((op) => op.kind);
const floats = (b: OnnxBuilder, name: string, dims: readonly number[]): string =>
  b.floats(
    name,
    dims,
    randomFloats(
      name.length,
      dims.reduce((a, n) => a * n, 1),
    ),
  );

describe('layers over lines [N, C, L] are those over images of height 1', () => {
  it('a whole network: Conv, Relu, quantiser, MaxPool, Flatten', async () => {
    const ops = await agrees([4, 12], (b) => {
      const x = b.fakeQuant('x', 0.02, 0, 'int8');
      const conv = b.node('Conv', [x, floats(b, 'w', [6, 4, 3]), floats(b, 'b', [6])], { pads: [1, 1] });
      const y = b.fakeQuant(b.node('Relu', [conv]), 0.05, 0);
      const pool = b.node('MaxPool', [y], { kernel_shape: [2], strides: [2] });
      return b.node('Gemm', [b.node('Flatten', [pool]), floats(b, 'f', [5, 36])], { transB: 1 });
    });
    expect(kindsOf(ops)).toEqual([
      'input', 'quantize', 'reshape', 'conv', 'relu', 'quantize', 'maxpool', 'flatten', 'linear',
    ]); // prettier-ignore
  });

  it.each([
    ['strides, dilations and groups', { strides: [2], dilations: [2], group: 2, pads: [3, 1] }],
    ['auto_pad', { auto_pad: 'SAME_UPPER', strides: [2], group: 2 }],
    ['auto_pad SAME_LOWER', { auto_pad: 'SAME_LOWER', group: 2 }],
  ] as const)('Conv with %s', async (_, attributes) => {
    const make = (b: OnnxBuilder): string => b.node('Conv', ['x', floats(b, 'weight', [6, 2, 3])], attributes);
    expect(kindsOf(await agrees([4, 13], make))).toEqual(['input', 'reshape', 'conv']);
  });

  it.each([
    ['MaxPool', { kernel_shape: [3], strides: [2], pads: [1, 0] }],
    ['MaxPool', { kernel_shape: [3], strides: [2], ceil_mode: 1 }],
    ['AveragePool', { kernel_shape: [2], strides: [2] }],
    ['AveragePool', { kernel_shape: [3], strides: [2], pads: [1, 1], count_include_pad: 1 }],
    ['AveragePool', { kernel_shape: [3], strides: [2], pads: [1, 1] }],
    ['GlobalAveragePool', {}],
    ['GlobalMaxPool', {}],
  ] as const)('%s with %j', async (op, attributes) => {
    await agrees([3, 11], (b) => b.node('Relu', [b.node(op, ['x'], attributes)]));
  });

  it('a Conv whose bias is an Add, a BatchNormalization and a residual Add behind it', async () => {
    const ops = await agrees([4, 9], (b) => {
      const conv = b.node('Conv', ['x', floats(b, 'w', [4, 4, 1])]);
      const biased = b.node('Add', [conv, floats(b, 'bias', [4, 1])]);
      const stats = ['gamma', 'beta', 'mean'].map((name) => floats(b, name, [4]));
      const norm = b.node('BatchNormalization', [biased, ...stats, b.floats('var', [4], [1, 2, 0.5, 3])]);
      const second = b.node('Conv', [b.node('Relu', [norm]), floats(b, 'w2', [4, 4, 3])], { pads: [1, 1] });
      return b.node('Add', [second, norm]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'reshape', 'conv', 'batchnorm', 'relu', 'conv', 'add']);
  });

  it('a constant of the whole shape, per channel and per place', async () => {
    await agrees([3, 7], (b) => {
      const pool = b.node('MaxPool', ['x'], { kernel_shape: [1] });
      const whole = b.node('Mul', [pool, floats(b, 'whole', [1, 3, 7])]);
      return b.node('Add', [b.node('Mul', [whole, floats(b, 'channel', [3, 1])]), floats(b, 'place', [7])]);
    });
  });

  it.each([
    [2, 0],
    [-1, 1],
  ])('ReduceMean over axis %d, keepdims %d', async (axis, keepdims) => {
    await agrees([3, 7], (b) => b.node('ReduceMean', [b.node('Relu', ['x'])], { axes: [axis], keepdims }));
  });

  it('Unsqueeze → Conv → Squeeze, as tf2onnx writes Conv1D', async () => {
    await agrees([4, 9], (b) => {
      const image = b.node('Unsqueeze', ['x', b.ints('axes', [2])]);
      const conv = b.node('Conv', [image, floats(b, 'w', [5, 4, 1, 3])], { pads: [0, 1, 0, 1] });
      return b.node('Relu', [b.node('Squeeze', [conv, 'axes'])]);
    });
  });

  it('Pad in front of a Conv', async () => {
    await agrees([2, 8], (b) => {
      const padded = b.node('Pad', ['x', b.ints('pads', [0, 0, 2, 0, 0, 1])]);
      return b.node('Conv', [padded, floats(b, 'w', [3, 2, 3])]);
    });
  });

  it('QLinearConv over lines', () => {
    const bytes = model([4, 12], (b) => {
      const [s, z] = [b.scalar('s', 'float', 0.02), b.scalar('z', 'int8', 0)];
      const w = b.constant('w', { type: 'int8', dims: [6, 4, 3], values: randomInts(5, 72, -127, 127) });
      const conv = b.node('QLinearConv', [b.node('QuantizeLinear', ['x', s, z]), s, z, w, s, z, s, z]);
      return b.node('DequantizeLinear', [conv, s, z]);
    });
    expect(kindsOf(imported(bytes).network.ops)).toEqual(['input', 'quantize', 'reshape', 'conv', 'quantize']);
  });

  it('a weight of an image over a line is refused', () => {
    expect(codes(refused(model([4, 12], (b) => b.node('Conv', ['x', floats(b, 'w', [6, 4, 1, 3])]))))).toEqual([
      'onnx/unsupported-form',
    ]);
  });
});

describe('axes that only moved sizes of 1', () => {
  it('an image [N, H, W, 1] transposed to [N, 1, H, W], as Keras exports', async () => {
    const ops = await agrees([8, 8, 1], (b) => {
      const x = b.fakeQuant(b.node('Transpose', ['x'], { perm: [0, 3, 1, 2] }), 0.02, 0, 'int8');
      const conv = b.node('Conv', [x, floats(b, 'w', [4, 1, 3, 3])]);
      return b.node('Relu', [conv]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'reshape', 'conv', 'relu']);
  });

  it('pooling and an Add per channel behind the Transpose', async () => {
    await agrees([6, 6, 1], (b) => {
      const image = b.node('Transpose', ['x'], { perm: [0, 3, 1, 2] });
      const pool = b.node('AveragePool', [image], { kernel_shape: [2, 2], strides: [2, 2] });
      return b.node('Add', [pool, floats(b, 'c', [1, 1, 1])]);
    });
  });

  it('a bias per channel added while channels are last', async () => {
    await agrees([3, 4, 4], (b) => {
      const conv = b.node('Conv', ['x', floats(b, 'w', [5, 3, 1, 1])]);
      const last = b.node('Transpose', [conv], { perm: [0, 2, 3, 1] });
      const biased = b.node('Add', [last, floats(b, 'bias', [5])]);
      const whole = b.node('Mul', [biased, floats(b, 'whole', [4, 4, 5])]);
      return b.node('Relu', [b.node('Transpose', [whole], { perm: [0, 3, 1, 2] })]);
    });
  });
});

describe("onnxruntime's layout optimiser", () => {
  const ms = { domain: 'com.microsoft' };
  it('NHWC QLinearConv, NhwcMaxPool, QLinearAdd and QLinearGlobalAveragePool between two transposes', () => {
    const bytes = model([2, 6, 6], (b) => {
      const [s, z] = [b.scalar('s', 'float', 0.02), b.scalar('z', 'int8', 0)];
      const w = (name: string, dims: readonly number[]): string =>
        b.constant(name, {
          type: 'int8',
          dims,
          values: randomInts(
            5,
            dims.reduce((a, n) => a * n, 1),
            -127,
            127,
          ),
        });
      const q = b.node('Transpose', [b.node('QuantizeLinear', ['x', s, z])], { perm: [0, 2, 3, 1] });
      const one = b.node('QLinearConv', [q, s, z, w('w1', [4, 2, 3, 3]), s, z, s, z], { channels_last: 1, pads: [1, 1, 1, 1] }, ms); // prettier-ignore
      const two = b.node('QLinearConv', [one, s, z, w('w2', [4, 4, 1, 1]), s, z, s, z], { channels_last: 1 }, ms);
      const sum = b.node('QLinearAdd', [one, s, z, two, s, z, s, z], {}, ms);
      const pool = b.node('NhwcMaxPool', [sum], { kernel_shape: [2, 2], strides: [2, 2] }, ms);
      const mean = b.node('QLinearGlobalAveragePool', [pool, s, z, s, z], { channels_last: 1 }, ms);
      const back = b.node('Transpose', [mean], { perm: [0, 3, 1, 2] });
      return b.node('DequantizeLinear', [b.node('Flatten', [back]), s, z]);
    });
    const { ops } = imported(bytes).network;
    expect(kindsOf(ops)).toEqual([
      'input', 'quantize', 'conv', 'quantize', 'conv', 'quantize', 'add', 'quantize', 'maxpool', 'globalavgpool', 'quantize', 'flatten',
    ]); // prettier-ignore
    expect(ops.find((op) => op.kind === 'maxpool')!.type.shape).toEqual([4, 3, 3]);
  });
});
