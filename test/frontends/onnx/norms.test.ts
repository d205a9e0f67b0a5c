import { expect, it } from 'vitest';
import { evaluateAnn } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';

/*
 * Normalisations by the statistics of each input: layer by layer as onnxruntime has them, their values by plain loops too,
 * and every code of the spiking network with exact arithmetic.
 */
function quantised(b: OnnxBuilder, x: string, scale: number, zero: number): string {
  const [s, z] = [b.scalar(`${x}.s`, 'float', scale), b.scalar(`${x}.z`, 'uint8', zero)];
  return b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, s, z]), s, z]);
}

type Norm = (b: OnnxBuilder, x: string) => string;

/** The normalisation between two quantisers, then a layer. */
function network(shape: readonly number[], norm: Norm, opset: number): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(opset);
  b.input('x', ['N', ...shape]);
  const count = shape.reduce((a, n) => a * n, 1);
  const flat = b.node('Flatten', [quantised(b, norm(b, quantised(b, 'x', 0.0191, 128)), 0.0313, 128)]);
  const w = b.constant('w', {
    type: 'int8',
    dims: [3, count],
    values: randomFloats(8, 3 * count, 127).map(Math.round),
  });
  const weight = b.node('DequantizeLinear', [w, b.scalar('ws', 'float', 0.01), b.scalar('wz', 'int8', 0)]);
  b.output(b.node('Gemm', [flat, weight], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

const numbers = (b: OnnxBuilder, name: string, count: number, dims: readonly number[] = [count]): string =>
  b.floats(name, [...dims], randomFloats(count + name.length, count));

const microsoft = { domain: 'com.microsoft' };

const forms: readonly (readonly [string, readonly number[], number, Norm])[] = [
  ['RMSNormalization', [5, 8], 23, (b, x) => b.node('RMSNormalization', [x, numbers(b, 'g', 8)], { axis: -1 })],
  [
    'RMSNormalization over two axes',
    [5, 8],
    23,
    (b, x) => b.node('RMSNormalization', [x, numbers(b, 'g', 40, [5, 8])], { axis: 1 }),
  ],
  [
    'SimplifiedLayerNormalization',
    [5, 8],
    17,
    (b, x) => b.node('SimplifiedLayerNormalization', [x, numbers(b, 'g', 8)], { axis: -1, epsilon: { float: 1e-3 } }),
  ],
  [
    'InstanceNormalization',
    [4, 3, 5],
    17,
    (b, x) => b.node('InstanceNormalization', [x, numbers(b, 'g', 4), numbers(b, 'bias', 4)]),
  ],
  [
    'InstanceNormalization of lines',
    [4, 7],
    17,
    (b, x) => b.node('InstanceNormalization', [x, numbers(b, 'g', 4), numbers(b, 'bias', 4)]),
  ],
  [
    'GroupNormalization',
    [6, 3, 2],
    21,
    (b, x) => b.node('GroupNormalization', [x, numbers(b, 'g', 6), numbers(b, 'bias', 6)], { num_groups: 2 }),
  ],
  [
    'GroupNormalization with a scale a group',
    [6, 3, 2],
    18,
    (b, x) => b.node('GroupNormalization', [x, numbers(b, 'g', 3), numbers(b, 'bias', 3)], { num_groups: 3 }),
  ],
  [
    'LRN, twice',
    [6, 3, 2],
    13,
    (b, x) => {
      const first = b.node('LRN', [x], { size: 3, alpha: { float: 0.9 }, beta: { float: 0.75 }, bias: { float: 1.5 } });
      return b.node('LRN', [quantised(b, first, 0.02, 128)], { size: 5, alpha: { float: 2 }, beta: { float: 0.5 } });
    },
  ],
  [
    'SkipLayerNormalization',
    [5, 8],
    17,
    (b, x) => {
      const skip = quantised(b, b.node('Mul', [x, b.floats('half', [1], [0.3])]), 0.01, 120);
      return b.node(
        'SkipLayerNormalization',
        [x, skip, numbers(b, 'g', 8), numbers(b, 'bias', 8), numbers(b, 'more', 8)],
        { epsilon: { float: 1e-5 } },
        microsoft,
      );
    },
  ],
  [
    'SkipSimplifiedLayerNormalization',
    [5, 8],
    17,
    (b, x) => {
      const skip = quantised(b, b.node('Mul', [x, b.floats('half', [1], [0.3])]), 0.01, 120);
      return b.node(
        'SkipSimplifiedLayerNormalization',
        [x, skip, numbers(b, 'g', 8)],
        { epsilon: { float: 1e-5 } },
        microsoft,
      );
    },
  ],
];

it.each(forms)('%s is imported as its kernel computes it, and converts exactly', async (_, shape, opset, norm) => {
  await convertsExactly(network(shape, norm, opset));
});

it('x over the root of its mean square, by hand', async () => {
  const b = new OnnxBuilder(23);
  b.input('x', ['N', 2, 6]);
  b.output(b.node('RMSNormalization', ['x', b.floats('g', [6], [1, 2, 3, -1, 0.5, 0])], { epsilon: { float: 0.01 } }));
  const x = randomFloats(5, 12, 2);
  const { output } = await compareWithOnnxruntime(Uint8Array.from(b.bytes()), x);
  const gamma = [1, 2, 3, -1, 0.5, 0];
  for (const row of [0, 1]) {
    const own = x.subarray(6 * row, 6 * row + 6);
    const square = own.reduce((sum, value) => sum + value * value, 0) / 6;
    own.forEach((value, i) =>
      expect(output[6 * row + i]).toBeCloseTo((value / Math.sqrt(square + 0.01)) * gamma[i]!, 6),
    );
  }
});

it.each([3, 4, 9])('sums of LRN over %d neighbouring channels, by hand', (size) => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 5, 1, 2]);
  b.output(b.node('LRN', ['x'], { size, alpha: { float: 0.5 }, beta: { float: 0.75 }, bias: { float: 2 } }));
  const { network } = imported(Uint8Array.from(b.bytes()));
  const x = randomFloats(7, 10, 2);
  const output = evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;
  x.forEach((value, i) => {
    let sum = 0;
    // of an even number one more behind (onnxruntime has odd ones alone)
    for (let c = -Math.floor((size - 1) / 2); c <= Math.ceil((size - 1) / 2); c++) sum += (x[i + 2 * c] ?? 0) ** 2;
    expect(output[i]).toBeCloseTo(value / (2 + (0.5 / size) * sum) ** 0.75, 12);
  });
});

it('the sum that SkipLayerNormalization gives out goes on past it', async () => {
  const skipped: Norm = (b, x) => {
    const skip = quantised(b, b.node('Mul', [x, b.floats('half', [1], [0.3])]), 0.01, 120);
    const outputs = ['normal', '', '', 'sum'];
    b.nodes('SkipLayerNormalization', [x, skip, numbers(b, 'g', 8)], outputs, {}, microsoft);
    return b.node('Add', [quantised(b, 'normal', 0.03, 128), quantised(b, 'sum', 0.03, 128)]);
  };
  await convertsExactly(network([5, 8], skipped, 17));
});

it('wrong numbers of scales, groups that do not divide the channels and read statistics are refused', () => {
  const file = (make: (b: OnnxBuilder) => string): Uint8Array => {
    const b = new OnnxBuilder(21);
    b.input('x', ['N', 6, 2, 2]);
    b.output(make(b));
    return b.bytes();
  };
  const scale = (b: OnnxBuilder, count: number): string => numbers(b, 'g', count);
  expect(
    codes(refused(file((b) => b.node('InstanceNormalization', ['x', scale(b, 5), numbers(b, 'bias', 6)])))),
  ).toEqual(['onnx/shape-mismatch']);
  expect(
    codes(
      refused(file((b) => b.node('GroupNormalization', ['x', scale(b, 6), numbers(b, 'bias', 6)], { num_groups: 4 }))),
    ),
  ).toEqual(['onnx/bad-attribute']);
  expect(
    imported(file((b) => b.node('InstanceNormalization', ['x', scale(b, 6), numbers(b, 'bias', 6)]))).network.ops.at(
      -1,
    )!.kind,
  ).toBe('affine');
});
