import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

const ms = 'com.microsoft';

/** DynamicQuantizeLinear's three outputs. */
function dynamic(b: OnnxBuilder, x: string): readonly [string, string, string] {
  const outputs = ['codes', 'scale', 'zero'].map((name) => `${x}.${name}`) as [string, string, string];
  b.graph.node.push({ name: `${x}_dynamic`, opType: 'DynamicQuantizeLinear', input: [x], output: outputs });
  return outputs;
}

function model(dims: readonly number[], make: (b: OnnxBuilder) => string): Uint8Array<ArrayBuffer> {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', ...dims]);
  b.output(make(b));
  return b.bytes();
}

let count = 0;
function weights(b: OnnxBuilder, dims: readonly number[], type: 'int8' | 'uint8' = 'uint8'): string {
  const n = count++;
  const [least, most] = type === 'int8' ? [-90, 90] : [80, 170];
  const values = randomInts(
    n + 3,
    dims.reduce((a, d) => a * d, 1),
    least,
    most,
  );
  return b.constant(`w${n}`, { type, dims, values });
}

/** As quantize_dynamic writes a layer: DynamicQuantizeLinear, MatMulInteger, Cast, Mul by both scales, Add. */
function dense(b: OnnxBuilder, x: string, [rows, columns]: readonly [number, number]): string {
  const n = count++;
  const [q, scale, zero] = dynamic(b, x);
  const product = b.node('MatMulInteger', [q, weights(b, [rows, columns]), zero, b.scalar(`wz${n}`, 'uint8', 128)]);
  const both = b.node('Mul', [
    scale,
    b.floats(
      `ws${n}`,
      [columns],
      Float32Array.from({ length: columns }, (_, i) => 0.002 + i / 1000),
    ),
  ]);
  const real = b.node('Mul', [b.node('Cast', [product], { to: 1 }), both]);
  return b.node('Add', [real, b.floats(`b${n}`, [columns], randomFloats(n, columns))]);
}

describe('dynamic quantisation', () => {
  it('linear layers are imported with real activations and the file’s integer weights', async () => {
    const bytes = model([6], (b) => dense(b, b.node('Relu', [dense(b, 'x', [6, 4])]), [4, 3]));
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(1, 6));
    expect(network.network.ops.map(({ kind }) => kind)).toEqual([
      'input',
      'linear',
      'affine',
      'relu',
      'linear',
      'affine',
    ]);
    const weight = network.network.params.get(network.network.ops[1]!.params['weight']!)!;
    expect(weight.tensor.dtype).toBe('u8');
    expect(weight.quant!.zero).toEqual([128, 128, 128, 128]);
    expect(network.dynamicQuantisers).toHaveLength(2);
  });

  it.each([1, 3])(
    'a bias over the scale of each input, rounded, is the real bias (%i scales of weights)',
    async (scales) => {
      const bytes = model([2, 5, 5], (b) => {
        const [q, scale, zero] = dynamic(b, 'x');
        const product = b.node('ConvInteger', [q, weights(b, [3, 2, 3, 3], 'int8'), zero], { pads: [1, 1, 1, 1] });
        const weightScales = b.floats('ws', [scales], [0.004, 0.02, 0.1].slice(0, scales));
        const quotient = b.node('Div', [b.floats('bias', [3], [0.7, -0.3, 2]), b.node('Mul', [scale, weightScales])]);
        const codes = b.node('Cast', [b.node('Floor', [quotient])], { to: 6 });
        const sum = b.node('Add', [product, b.node('Reshape', [codes, b.ints('shape', [1, 3, 1, 1])])]);
        const both = scales === 1 ? weightScales : b.floats('wide', [3, 1, 1], [0.004, 0.02, 0.1]);
        return b.node('Mul', [b.node('Cast', [sum], { to: 1 }), b.node('Mul', [scale, both])]);
      });
      const { network } = await compareWithOnnxruntime(bytes, randomFloats(2, 50));
      const [, conv] = network.network.ops;
      const bias = Array.from(network.network.params.get(conv!.params['bias']!)!.tensor.data);
      for (const [i, value] of [0.7, -0.3, 2].entries()) expect(bias[i]).toBeCloseTo(value, 6);
    },
  );

  it('such a bias fits its products, and nothing else', () => {
    const make = (size: number, isProduct: boolean) =>
      model([6], (b) => {
        const [q, scale, zero] = dynamic(b, 'x');
        const bias = b.node('Floor', [b.node('Div', [b.floats('bias', [size], randomFloats(1, size)), scale])]);
        const product = b.node('MatMulInteger', [q, weights(b, [6, 3]), zero]);
        const sum = b.node('Add', [isProduct ? product : 'x', b.node('Cast', [bias], { to: 6 })]);
        return isProduct ? b.node('Mul', [b.node('Cast', [sum], { to: 1 }), scale]) : sum;
      });
    expect(codes(refused(make(2, true)))).toContain('onnx/shape-mismatch');
    expect(codes(refused(make(6, false)))).toContain('onnx/unsupported-form');
  });

  it('convolutions too, their codes pooled and moved', async () => {
    const bytes = model([2, 6, 6], (b) => {
      const [q, scale, zero] = dynamic(b, 'x');
      const pooled = b.node('MaxPool', [q], { kernel_shape: [2, 2], strides: [2, 2] });
      const w = weights(b, [3, 2, 3, 3], 'int8');
      const product = b.node('ConvInteger', [pooled, w, zero], { pads: [1, 1, 1, 1] });
      const both = b.node('Mul', [scale, b.scalar('ws', 'float', 0.004)]);
      return b.node('Relu', [b.node('Mul', [b.node('Cast', [product], { to: 1 }), both])]);
    });
    await compareWithOnnxruntime(bytes, randomFloats(2, 72));
  });

  it.each([
    ['a scale a column and a bias', true],
    ['one scale', false],
  ])('onnxruntime’s fused forms, with %s', async (_, full) => {
    const bytes = model([6], (b) => {
      const fixed = (type: 'int8' | 'uint8', n: number): string => b.scalar(`z${n}`, type, 3);
      const scale = (n: number): string =>
        full ? b.floats(`s${n}`, [4], [0.1, 0.2, 0.3, 0.4]) : b.scalar(`s${n}`, 'float', 0.1);
      const bias = full ? [b.floats('b1', [4], [1, 2, 3, 4])] : [];
      const first = b.node(
        'DynamicQuantizeMatMul',
        ['x', weights(b, [6, 4], 'int8'), scale(1), fixed('int8', 1), ...bias],
        {},
        { domain: ms },
      );
      const [q, s, z] = dynamic(b, b.node('Relu', [first]));
      const inputs = [q, weights(b, [4, 4]), s, scale(2), z, fixed('uint8', 2)];
      return b.node(
        'MatMulIntegerToFloat',
        full ? [...inputs, b.floats('b2', [4], [1, 0, -1, 5])] : inputs,
        {},
        { domain: ms },
      );
    });
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(3, 6));
    expect(network.dynamicQuantisers).toHaveLength(2);
  });

  it('says what it left out, once', () => {
    const { diagnostics } = importOnnx({ name: 'net.onnx', bytes: model([6], (b) => dense(b, 'x', [6, 4])) });
    expect(codes(diagnostics)).toEqual(['onnx/dynamic-quantisers']);
    expect(diagnostics[0]!.message).toContain('1 activation dynamically (DynamicQuantizeLinear; the first is "x")');
  });

  it.each([
    ['codes as the output', (b: OnnxBuilder) => dynamic(b, 'x')[1]],
    ['a sum with the scale', (b: OnnxBuilder) => b.node('Add', ['x', dynamic(b, 'x')[1]])],
    [
      'a static zero point',
      (b: OnnxBuilder) => b.node('MatMulInteger', [dynamic(b, 'x')[0], weights(b, [6, 2]), b.scalar('z', 'uint8', 3)]),
    ],
    ['the scale as a factor of reals', (b: OnnxBuilder) => b.node('Mul', ['x', dynamic(b, 'x')[1]])],
    [
      'static scales',
      (b: OnnxBuilder) => {
        const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.1), b.scalar('z', 'uint8', 3)]);
        const inputs = [q, weights(b, [6, 4]), b.scalar('s1', 'float', 0.1), b.scalar('s2', 'float', 0.1)];
        return b.node('MatMulIntegerToFloat', inputs, {}, { domain: ms });
      },
    ],
  ])('%s is refused by name', (_, make) => {
    expect(codes(refused(model([6], make)))).toContain('onnx/unsupported-form');
  });

  it('static products beside dynamic ones keep their quantisers in the comparison', async () => {
    const bytes = model([6], (b) => {
      const params = [b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 100)];
      const q = b.node('QuantizeLinear', ['x', ...params]);
      const product = b.node('MatMulInteger', [q, weights(b, [6, 4]), params[1]!]);
      const real = b.node('Mul', [b.node('Cast', [product], { to: 1 }), b.scalar('f', 'float', 0.001)]);
      return dense(b, b.node('Relu', [real]), [4, 3]);
    });
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(4, 6));
    expect(network.network.ops[1]!.kind).toBe('quantize');
    expect(imported(bytes).dynamicQuantisers).toHaveLength(1);
  });
});
