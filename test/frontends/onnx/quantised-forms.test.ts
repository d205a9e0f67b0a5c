import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../../src/frontends/onnx/index.js';
import type { Op } from '../../../src/network/types.js';
import { paramReals } from '../../../src/testing/ann-evaluate.js';
import { type BuilderType, OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

const ms = { domain: 'com.microsoft' };

function model(dims: readonly (number | string)[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', dims);
  builder.output(make(builder));
  return builder.bytes();
}

async function agrees(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Promise<readonly Op[]> {
  const input = randomFloats(
    dims.length + 40,
    dims.reduce((a, b) => a * b, 1),
    2,
  );
  const { network, compared } = await compareWithOnnxruntime(model(['N', ...dims], make, opset), input);
  expect(compared).toBeGreaterThan(0);
  return network.network.ops;
}

const kindsOf = (ops: readonly Op[]): string[] => ops.map((op) => op.kind);

describe('QDQ as PyTorch exports it', () => {
  /** One-element vectors, zero points shared through Identity and cast from int32, float weights per channel, float bias. */
  function pytorch(b: OnnxBuilder): string {
    const scale = b.floats('x.scale', [1], [0.02]);
    const shared = b.constant('shared.zero', { type: 'int32', dims: [1], values: [0] });
    const zero = b.node('Cast', [b.constant('x.zero', { type: 'int32', dims: [1], values: [127] })], { to: 2 });
    const x = b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', scale, zero]), scale, zero]);
    const wScale = b.floats('w.scale', [4], [0.01, 0.02, 0.005, 0.03]);
    const wZero = b.node('Cast', [b.constant('w.zero', { type: 'int32', dims: [4], values: [0, 0, 0, 0] })], { to: 3 });
    const w = b.floats('w', [4, 2, 3, 3], randomFloats(3, 72));
    const wq = b.node('QuantizeLinear', [w, wScale, wZero], { axis: 0 });
    const wdq = b.node('DequantizeLinear', [wq, wScale, wZero], { axis: 0 });
    const conv = b.node('Conv', [x, wdq, b.floats('bias', [4], randomFloats(8, 4))], { pads: [1, 1, 1, 1] });
    const yScale = b.floats('y.scale', [1], [0.05]);
    const yZero = b.node('Cast', [b.node('Identity', [shared])], { to: 2 });
    const q = b.node('QuantizeLinear', [b.node('Relu', [conv]), yScale, yZero]);
    const y = b.node('DequantizeLinear', [q, yScale, yZero]);
    const pads = b.node('Constant', [], {
      value: { tensor: { type: 'int64', dims: [8], values: [0, 0, 0, 0, 0, 0, 0, 0] } },
    });
    return b.node('AveragePool', [b.node('Pad', [y, pads])], { kernel_shape: [2, 2], strides: [2, 2] });
  }

  it('imports with exact scales, codes and ranges', async () => {
    const ops = await agrees([2, 6, 6], pytorch);
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'conv', 'relu', 'quantize', 'avgpool']);
    expect(ops[1]!.attrs).toEqual({ scale: Math.fround(0.02), zero: 127, min: 0, max: 255 });
    expect(ops[4]!.attrs).toEqual({ scale: Math.fround(0.05), zero: 0, min: 0, max: 255 });
  });

  it('keeps weights as int8 codes with a scale per output channel', () => {
    const { network } = imported(model(['N', 2, 6, 6], pytorch));
    const conv = network.ops.find((op) => op.kind === 'conv')!;
    const weight = network.params.get(conv.params['weight']!)!;
    expect(weight.tensor.dtype).toBe('i8');
    expect(weight.quant).toEqual({
      scale: [0.01, 0.02, 0.005, 0.03].map(Math.fround),
      zero: [0, 0, 0, 0],
      axis: 0,
    });
    const w = randomFloats(3, 72);
    const wanted = [...w].map((v, i) => {
      const scale = weight.quant!.scale[Math.floor(i / 18)]!;
      const q = Math.fround(v / scale);
      // no ties among these
      expect(Math.abs(q - Math.floor(q))).not.toBe(0.5);
      return Math.max(-128, Math.min(127, Math.round(q)));
    });
    expect([...weight.tensor.data]).toEqual(wanted);
    expect(network.params.get(conv.params['bias']!)!.tensor).toMatchObject({ dtype: 'f32', shape: [4] });
  });

  it('constants are quantised with halves to even', () => {
    const { network } = imported(
      model(['N', 6], (b) => {
        const [scale, zero] = [b.scalar('s', 'float', 0.5), b.scalar('z', 'int8', 0)];
        const w = b.floats('w', [1, 6], [0.25, 0.75, 1.25, -0.25, -0.75, 100]);
        return b.node(
          'Gemm',
          ['x', b.node('DequantizeLinear', [b.node('QuantizeLinear', [w, scale, zero]), scale, zero])],
          {
            transB: 1,
          },
        );
      }),
    );
    expect([...[...network.params.values()][0]!.tensor.data]).toEqual([0, 2, 2, 0, -2, 127]);
  });

  it.each([
    [0, 127],
    [-127, 127],
    [0, 15],
  ] as [number, number][])('a Clip to %i…%i between Q and DQ is the code range', async (min, max) => {
    const ops = await agrees([3, 2, 2], (b) => b.fakeQuant('x', 0.02, 0, 'int8', [min, max]));
    expect(ops[1]).toMatchObject({ kind: 'quantize', attrs: { min, max, zero: 0 } });
  });

  it('two readers of one quantiser share its op', async () => {
    const ops = await agrees([4], (b) => {
      const [s, z] = [b.scalar('s', 'float', 0.1), b.scalar('z', 'uint8', 10)];
      const q = b.node('QuantizeLinear', ['x', s, z]);
      const [one, two] = [b.node('DequantizeLinear', [q, s, z]), b.node('DequantizeLinear', [q, s, z])];
      return b.node('Add', [b.node('Relu', [one]), two]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'relu', 'add']);
  });
});

describe("QDQ as onnxruntime's quantiser writes it", () => {
  /** int8 weights and int32 biases as initialisers, each with its own DequantizeLinear. */
  function dequantisedWeight(b: OnnxBuilder, dims: readonly number[], zero = 0, type: BuilderType = 'int8'): string {
    const count = dims.reduce((x, y) => x * y, 1);
    const range = type === 'int8' ? [-20, 20] : [120, 160];
    const w = b.constant('w', { type, dims, values: randomInts(6, count, range[0]!, range[1]!) });
    return b.node('DequantizeLinear', [w, b.scalar('ws', 'float', 0.01), b.scalar('wz', type, zero)]);
  }
  function dequantisedBias(b: OnnxBuilder, values: readonly number[], scale: number): string {
    const bias = b.constant('bias', { type: 'int32', dims: [values.length], values });
    return b.node('DequantizeLinear', [bias, b.scalar('bs', 'float', scale), b.scalar('bz', 'int32', 0)]);
  }

  it('quantised biases are real and exact; ReLU is implicit in the zero point', async () => {
    const make = (b: OnnxBuilder): string => {
      const x = b.fakeQuant('x', 0.02, -13, 'int8');
      const y = b.node('Conv', [x, dequantisedWeight(b, [3, 2, 3, 3]), dequantisedBias(b, [1000, -70000, 3], 0.0002)]);
      return b.fakeQuant(y, 0.03, -128, 'int8');
    };
    const ops = await agrees([2, 5, 5], make);
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'conv', 'quantize']);
    expect(ops[3]!.attrs).toMatchObject({ zero: -128, min: -128, max: 127 });
    const { network } = imported(model(['N', 2, 5, 5], make));
    const bias = network.params.get(ops[2]!.params['bias']!)!;
    expect(bias.tensor.dtype).toBe('f64');
    expect([...bias.tensor.data]).toEqual([1000, -70000, 3].map((q) => q * Math.fround(0.0002)));
  });

  it('uint8 weights with a zero point', async () => {
    const ops = await agrees([2, 5, 5], (b) =>
      b.node('Conv', [b.fakeQuant('x', 0.02, 115), dequantisedWeight(b, [3, 2, 3, 3], 141, 'uint8')]),
    );
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'conv']);
  });

  it('weights per output channel of a MatMul have axis 1 in the file, 0 in the network', async () => {
    const make = (b: OnnxBuilder): string => {
      const w = b.constant('w', { type: 'int8', dims: [4, 3], values: randomInts(2, 12, -100, 100) });
      const scale = b.floats('ws', [3], [0.01, 0.02, 0.04]);
      const wdq = b.node(
        'DequantizeLinear',
        [w, scale, b.constant('wz', { type: 'int8', dims: [3], values: [0, 0, 0] })],
        { axis: 1 },
      );
      return b.node('MatMul', [b.fakeQuant('x', 0.02, 0, 'int8'), wdq]);
    };
    await agrees([4], make);
    const { network } = imported(model(['N', 4], make));
    const weight = [...network.params.values()][0]!;
    expect(weight.quant).toMatchObject({ axis: 0, scale: [0.01, 0.02, 0.04].map(Math.fround) });
    expect(weight.tensor.shape).toEqual([3, 4]);
  });

  it('a float ReduceMean between DQ and Q, a Reshape with allowzero', async () => {
    const ops = await agrees(
      [3, 4, 4],
      (b) => {
        const mean = b.node('ReduceMean', [b.fakeQuant('x', 0.02, 123)], { axes: [2, 3], keepdims: 1 });
        const q = b.fakeQuant(mean, 0.01, 128);
        return b.node('Reshape', [q, b.ints('s', [-1, 3])], { allowzero: 1 });
      },
      14,
    );
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'globalavgpool', 'quantize', 'flatten']);
    expect(ops[4]!.type.code).toMatchObject({ kind: 'quant', zero: 128 });
  });

  it('MaxPool, Reshape, Transpose and Concat directly on codes act on the quantised value', async () => {
    const [s, z] = [0.02, 12];
    const ops = await agrees([2, 4, 4], (b) => {
      const params = [b.scalar('s', 'float', s), b.scalar('z', 'int8', z)];
      const q = b.node('QuantizeLinear', ['x', ...params]);
      const pool = b.node('MaxPool', [q], { kernel_shape: [2, 2], strides: [2, 2] });
      const joined = b.node('Concat', [pool, pool], { axis: 1 });
      return b.node('DequantizeLinear', [b.node('Reshape', [joined, b.ints('r', [0, -1])]), ...params]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'maxpool', 'concat', 'flatten']);
    for (const op of ops.slice(1)) {
      expect(op.type.code).toEqual({ kind: 'quant', scale: Math.fround(s), zero: z, min: -128, max: 127 });
    }
  });

  it('QDQ around MaxPool and Flatten with the same parameters collapses', async () => {
    const ops = await agrees([2, 4, 4], (b) => {
      const params = [b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 3)];
      const again = (x: string): string =>
        b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, ...params]), ...params]);
      const pool = b.node('MaxPool', [again('x')], { kernel_shape: [2, 2], strides: [2, 2] });
      return again(again(b.node('Flatten', [again(pool)])));
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'maxpool', 'flatten']);
  });

  it('a pair with other parameters is kept', async () => {
    const ops = await agrees([6], (b) => b.fakeQuant(b.fakeQuant('x', 0.02, 0, 'int8'), 0.05, 0, 'int8'));
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'quantize']);
  });

  it('codes dequantised with another scale and zero point are rescaled', async () => {
    const ops = await agrees([6], (b) => {
      const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 100)]);
      return b.node('DequantizeLinear', [q, b.scalar('s2', 'float', 0.5), b.scalar('z2', 'uint8', 7)]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'affine']);
  });

  it('a missing zero point means uint8 and 0', async () => {
    const ops = await agrees([6], (b) => {
      const s = b.scalar('s', 'float', 0.01);
      return b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', s]), s]);
    });
    expect(ops[1]!.attrs).toMatchObject({ zero: 0, min: 0, max: 255 });
  });

  it('codes of 4 and 16 bits (opset 21)', async () => {
    for (const type of ['uint16', 'int16', 'int4', 'uint4'] as const) {
      const range = { uint16: [0, 65535], int16: [-32768, 32767], int4: [-8, 7], uint4: [0, 15] }[type];
      const ops = await agrees([6], (b) => b.fakeQuant('x', 0.1, 5, type), 21);
      expect(ops[1]!.attrs).toMatchObject({ min: range[0], max: range[1], zero: 5 });
    }
    const make = (b: OnnxBuilder): string => {
      const w = b.constant('w', {
        type: 'int4',
        dims: [3, 5],
        values: [-8, 7, 1, 2, -3, 0, 1, -1, 4, 5, -6, 7, -7, 3, 2],
      });
      return b.node('Gemm', ['x', b.node('DequantizeLinear', [w, b.scalar('ws', 'float', 0.25)])], { transB: 1 });
    };
    await agrees([5], make, 21);
    const weight = [...imported(model(['N', 5], make, 21)).network.params.values()][0]!;
    expect(weight.tensor.dtype).toBe('i8');
    expect([...paramReals(weight)].slice(0, 3)).toEqual([-2, 1.75, 0.25]);
  });
});

describe('Brevitas below 8 bits', () => {
  it('int8 weights clipped to 4 bits before DequantizeLinear', async () => {
    const make = (b: OnnxBuilder): string => {
      const w = b.constant('w', { type: 'int8', dims: [2, 3], values: [-30, 5, 7, 9, -7, 0] });
      const clipped = b.node('Clip', [w, b.scalar('lo', 'int8', -7), b.scalar('hi', 'int8', 7)]);
      const wdq = b.node('DequantizeLinear', [clipped, b.scalar('ws', 'float', 0.125), b.scalar('wz', 'int8', 0)]);
      return b.fakeQuant(
        b.node('Gemm', [b.fakeQuant('x', 0.1, 0, 'int8', [-7, 7]), wdq], { transB: 1 }),
        0.2,
        0,
        'uint8',
        [0, 15],
      );
    };
    const ops = await agrees([3], make);
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'linear', 'quantize']);
    expect(ops[1]!.attrs).toMatchObject({ min: -7, max: 7 });
    expect(ops[3]!.attrs).toMatchObject({ min: 0, max: 15 });
    const weight = [...imported(model(['N', 3], make)).network.params.values()][0]!;
    expect([...weight.tensor.data]).toEqual([-7, 5, 7, 7, -7, 0]);
  });
});

it('a float Clip behind the DequantizeLinear of a weight clips its reals', async () => {
  await agrees([3], (b) => {
    const w = b.constant('w', { type: 'int8', dims: [2, 3], values: [-30, 5, 7, 9, -7, 0] });
    const wdq = b.node('DequantizeLinear', [w, b.scalar('ws', 'float', 0.125)]);
    const clipped = b.node('Clip', [wdq, b.scalar('lo', 'float', -1), b.scalar('hi', 'float', 1)]);
    return b.node('Gemm', ['x', clipped], { transB: 1 });
  });
});

describe('operators on codes', () => {
  const params = (b: OnnxBuilder, name: string, scale: number, zero: number, type: BuilderType = 'uint8'): string[] => [
    b.scalar(`${name}.s`, 'float', scale),
    b.scalar(`${name}.z`, type, zero),
  ];
  const quantised = (b: OnnxBuilder, x: string, p: readonly string[]): string => b.node('QuantizeLinear', [x, ...p]);
  const real = (b: OnnxBuilder, q: string, p: readonly string[]): string => b.node('DequantizeLinear', [q, ...p]);

  it('QLinearConv, per channel, with bias in units of xs·ws and without kernel_shape', async () => {
    const make = (b: OnnxBuilder): string => {
      const [xp, yp] = [params(b, 'x', 0.02, 117), params(b, 'y', 0.05, 3)];
      const w = b.constant('w', { type: 'int8', dims: [3, 2, 3, 3], values: randomInts(4, 54, -30, 30) });
      const ws = b.floats('ws', [3], [0.01, 0.02, 0.005]);
      const wz = b.constant('wz', { type: 'int8', dims: [3], values: [0, 0, 0] });
      const bias = b.constant('bias', { type: 'int32', dims: [3], values: [500, -300, 20] });
      const q = quantised(b, 'x', xp);
      return real(b, b.node('QLinearConv', [q, ...xp, w, ws, wz, ...yp, bias], { pads: [1, 0, 0, 1] }), yp);
    };
    const ops = await agrees([2, 5, 5], make);
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'conv', 'quantize']);
    const { network } = imported(model(['N', 2, 5, 5], make));
    const bias = network.params.get(network.ops[2]!.params['bias']!)!;
    const scales = [0.01, 0.02, 0.005].map((s) => Math.fround(s) * Math.fround(0.02));
    expect([...bias.tensor.data]).toEqual([500, -300, 20].map((v, i) => v * scales[i]!));
  });

  it('a chain of them needs no DequantizeLinear between', async () => {
    const ops = await agrees([2, 6, 6], (b) => {
      const [xp, yp, zp] = [params(b, 'x', 0.02, 117), params(b, 'y', 0.05, 0), params(b, 'z', 0.06, 9)];
      const w = b.constant('w', { type: 'int8', dims: [2, 2, 3, 3], values: randomInts(4, 36, -30, 30) });
      const wp = params(b, 'w', 0.01, 0, 'int8');
      const one = b.node('QLinearConv', [quantised(b, 'x', xp), ...xp, w, ...wp, ...yp], { pads: [1, 1, 1, 1] });
      const pool = b.node('MaxPool', [one], { kernel_shape: [2, 2], strides: [2, 2] });
      const two = b.node('QLinearConv', [pool, ...yp, w, ...wp, ...yp], { pads: [1, 1, 1, 1] });
      return real(b, b.node('QLinearAdd', [two, ...yp, pool, ...yp, ...zp], {}, ms), zp);
    });
    expect(kindsOf(ops)).toEqual([
      'input',
      'quantize',
      'conv',
      'quantize',
      'maxpool',
      'conv',
      'quantize',
      'add',
      'quantize',
    ]);
  });

  it('QLinearMatMul', async () => {
    const ops = await agrees([6], (b) => {
      const [xp, yp] = [params(b, 'x', 0.02, 117), params(b, 'y', 0.05, 120)];
      const w = b.constant('w', { type: 'uint8', dims: [6, 3], values: randomInts(9, 18, 100, 140) });
      const y = b.node('QLinearMatMul', [quantised(b, 'x', xp), ...xp, w, ...params(b, 'w', 0.02, 120), ...yp]);
      return real(b, y, yp);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'linear', 'quantize']);
  });

  it.each([
    ['codes out', true, 1],
    ['floats out', false, 1],
    ['alpha', true, 0.5],
  ] as [string, boolean, number][])('QGemm, %s', async (_, quantises, alpha) => {
    const ops = await agrees([6], (b) => {
      const [xp, yp] = [params(b, 'x', 0.02, 117), params(b, 'y', 0.05, 0)];
      const w = b.constant('w', { type: 'int8', dims: [3, 6], values: randomInts(9, 18, -30, 30) });
      const c = b.constant('c', { type: 'int32', dims: [3], values: [100, -200, 50] });
      const inputs = [quantised(b, 'x', xp), ...xp, w, ...params(b, 'w', 0.02, 0, 'int8'), c, ...(quantises ? yp : [])];
      const y = b.node('QGemm', inputs, { transB: 1, alpha: { float: alpha } }, ms);
      return quantises ? real(b, y, yp) : b.node('Relu', [y]);
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'linear', quantises ? 'quantize' : 'relu']);
  });

  it('QLinearAveragePool, QLinearGlobalAveragePool and QLinearConcat', async () => {
    const ops = await agrees([2, 4, 4], (b) => {
      const [xp, yp, zp] = [params(b, 'x', 0.02, 117), params(b, 'y', 0.015, 110), params(b, 'z', 0.025, 100)];
      const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
      const pool = b.node('QLinearAveragePool', [quantised(b, 'x', xp), ...xp, ...yp], attributes, ms);
      const max = b.node('MaxPool', [quantised(b, 'x', xp)], attributes);
      const joined = b.node('QLinearConcat', [...zp, pool, ...yp, max, ...xp], { axis: 1 }, ms);
      return real(b, b.node('QLinearGlobalAveragePool', [joined, ...zp, ...xp], {}, ms), xp);
    });
    expect(kindsOf(ops).sort()).toEqual(
      ['input', 'quantize', 'avgpool', 'quantize', 'maxpool', 'concat', 'quantize', 'globalavgpool', 'quantize'].sort(),
    );
  });

  it('MatMulInteger and ConvInteger get their meaning from the Mul behind them', async () => {
    const matmul = await agrees([6], (b) => {
      const xp = params(b, 'x', 0.02, 117);
      const w = b.constant('w', { type: 'uint8', dims: [6, 3], values: randomInts(9, 18, 100, 140) });
      const product = b.node('MatMulInteger', [quantised(b, 'x', xp), w, xp[1]!, b.scalar('wz', 'uint8', 120)]);
      const scaled = b.node('Mul', [
        b.node('Cast', [product], { to: 1 }),
        b.node('Mul', [xp[0]!, b.floats('ws', [3], [0.01, 0.02, 0.03])]),
      ]);
      return b.node('Relu', [scaled]);
    });
    expect(kindsOf(matmul)).toEqual(['input', 'quantize', 'linear', 'relu']);
    const conv = await agrees([2, 5, 5], (b) => {
      const xp = params(b, 'x', 0.02, 117);
      const w = b.constant('w', { type: 'uint8', dims: [3, 2, 2, 2], values: randomInts(9, 24, 100, 140) });
      const product = b.node('ConvInteger', [quantised(b, 'x', xp), w, xp[1]!, b.scalar('wz', 'uint8', 120)]);
      return b.node('Mul', [b.node('Cast', [product], { to: 1 }), b.scalar('s', 'float', 0.0003)]);
    });
    expect(kindsOf(conv)).toEqual(['input', 'quantize', 'conv']);
  });

  it('MatMulInteger and ConvInteger may also get their scale from a DequantizeLinear', async () => {
    const ops = await agrees([6], (b) => {
      const xp = params(b, 'x', 0.02, 117);
      const w = b.constant('w', { type: 'uint8', dims: [6, 3], values: randomInts(9, 18, 100, 140) });
      const product = b.node('MatMulInteger', [quantised(b, 'x', xp), w, xp[1]!, b.scalar('wz', 'uint8', 120)]);
      return b.node('DequantizeLinear', [product, b.floats('s', [3], [0.001, 0.002, 0.003])], { axis: 1 });
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'linear']);
  });

  it('integer products without a scale are refused', () => {
    const bytes = model(['N', 4], (b) => {
      const xp = params(b, 'x', 0.02, 117);
      const w = b.constant('w', { type: 'uint8', dims: [4, 2], values: randomInts(9, 8, 100, 140) });
      return b.node('MatMulInteger', [quantised(b, 'x', xp), w]);
    });
    expect(codes(refused(bytes))).toEqual(['onnx/unsupported-form']);
  });

  it('DynamicQuantizeLinear is refused by name with a remedy', () => {
    const bytes = model(['N', 4], (b) => b.node('DynamicQuantizeLinear', ['x']));
    const [problem] = refused(bytes);
    expect(problem).toMatchObject({ code: 'onnx/unsupported-op' });
    expect(problem!.help).toContain('statically');
  });

  it('both forms of one layer give the same network', () => {
    const w = randomInts(4, 54, -30, 30);
    const build = (codesForm: boolean): unknown => {
      const bytes = model(['N', 2, 5, 5], (b) => {
        const [xp, wp, yp] = [params(b, 'x', 0.02, 117), params(b, 'w', 0.01, 0, 'int8'), params(b, 'y', 0.05, 3)];
        const weight = b.constant('w', { type: 'int8', dims: [3, 2, 3, 3], values: w });
        const q = quantised(b, 'x', xp);
        if (codesForm) return real(b, b.node('QLinearConv', [q, ...xp, weight, ...wp, ...yp]), yp);
        const conv = b.node('Conv', [real(b, q, xp), real(b, weight, wp)]);
        return real(b, quantised(b, conv, yp), yp);
      });
      const { network } = imported(bytes);
      return network.ops.map((op) => {
        const weight = network.params.get(op.params['weight'] ?? '');
        return { kind: op.kind, type: op.type, attrs: op.attrs, weight };
      });
    };
    expect(build(true)).toEqual(build(false));
  });
});

describe('what quantisation may not be', () => {
  const withScale = (values: readonly number[]): Uint8Array =>
    model(['N', 4], (b) => {
      const s = b.floats('scale', [values.length], values);
      const z = b.constant('zero', { type: 'uint8', dims: [values.length], values: values.map(() => 0) });
      return b.node('DequantizeLinear', [b.node('QuantizeLinear', ['x', s, z]), s, z]);
    });

  it.each([0, -0.5, NaN, Infinity])('a scale of %f', (scale) => {
    const problems = refused(withScale([scale]));
    expect(codes(problems)).toEqual(['onnx/bad-scale']);
    expect(problems[0]!.message).toContain('"scale"');
  });

  it('a scale for each of 3 channels where there are 4', () => {
    expect(codes(refused(withScale([0.1, 0.2, 0.3])))).toEqual(['onnx/per-axis-activation']);
  });

  it('a scale per block', () => {
    const bytes = model(
      ['N', 8],
      (b) => {
        const w = b.constant('w', { type: 'int8', dims: [2, 8], values: randomInts(1, 16, -9, 9) });
        const s = b.floats(
          's',
          [2, 4],
          randomFloats(1, 8).map((v) => v + 2),
        );
        return b.node('Gemm', ['x', b.node('DequantizeLinear', [w, s], { axis: 1, block_size: 2 })], { transB: 1 });
      },
      21,
    );
    expect(codes(refused(bytes))).toEqual(['onnx/blocked-quantisation']);
  });

  it('as many scales as no axis has', () => {
    const bytes = model(['N', 8], (b) => {
      const w = b.constant('w', { type: 'int8', dims: [2, 8], values: randomInts(1, 16, -9, 9) });
      const dq = b.node('DequantizeLinear', [w, b.floats('s', [3], [1, 2, 3])], { axis: 0 });
      return b.node('Gemm', ['x', dq], { transB: 1 });
    });
    expect(codes(refused(bytes))).toEqual(['onnx/shape-mismatch']);
  });

  it('a float op on codes', () => {
    const bytes = model(['N', 2, 4, 4], (b) => {
      const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.1)]);
      return b.node('GlobalAveragePool', [q]);
    });
    expect(codes(refused(bytes))).toEqual(['onnx/data-type']);
  });
});

it('property: a constant through Q and DQ has the codes the formula gives', () => {
  const finite = fc.float({ noNaN: true, min: Math.fround(-1e3), max: Math.fround(1e3) });
  fc.assert(
    fc.property(
      fc.array(finite, { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: 0, max: 255 }),
      (w, k, zero) => {
        const scale = Math.fround(k / 1024);
        const bytes = model(['N', 4], (b) => {
          const params = [b.scalar('s', 'float', scale), b.scalar('z', 'uint8', zero)];
          const q = b.node('QuantizeLinear', [b.floats('w', [1, 4], w), ...params]);
          return b.node('Gemm', ['x', b.node('DequantizeLinear', [q, ...params])], { transB: 1 });
        });
        const { value } = importOnnx({ name: 'w.onnx', bytes });
        const got = [...[...value!.network.params.values()][0]!.tensor.data];
        const wanted = w.map((v) => {
          const q = Math.fround(v / scale);
          const whole = Math.trunc(q);
          const up = Math.abs(q - whole) > 0.5 || (Math.abs(q - whole) === 0.5 && whole % 2 !== 0);
          return Math.max(0, Math.min(255, whole + (up ? Math.sign(q) : 0) + zero));
        });
        expect(got).toEqual(wanted);
      },
    ),
    { numRuns: 200 },
  );
});
