import { describe, expect, it } from 'vitest';
import type { Op } from '../../../src/network/types.js';
import { type BuilderType, OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

function model(dims: readonly (number | string)[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

async function agrees(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Promise<readonly Op[]> {
  const count = dims.reduce((a, b) => a * b, 1);
  const input = randomFloats(dims.length + 41, count, 2);
  const { network, compared } = await compareWithOnnxruntime(model(dims, make, opset), input);
  expect(compared).toBeGreaterThan(0);
  return network.network.ops;
}

const kindsOf = (ops: readonly Op[]): string[] => ops.map((op) => op.kind);

/** int8 weights as an initialiser with its DequantizeLinear, one scale. */
function weight(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  b.constant(name, { type: 'int8', dims, values: randomInts(name.length + count, count, -127, 127) });
  return b.node('DequantizeLinear', [name, b.scalar(`${name}.s`, 'float', 0.01), b.scalar(`${name}.z`, 'int8', 0)]);
}

describe('casts of codes', () => {
  /** QuantizeLinear → Cast → DequantizeLinear, the zero point behind it of the type cast to. */
  function castBetween(b: OnnxBuilder, from: BuilderType, number: number, to: BuilderType): string {
    const scale = b.scalar('s', 'float', 0.02);
    const q = b.node('QuantizeLinear', ['x', scale, b.scalar('z', from, 0)]);
    const cast = b.node('Cast', [q], { to: number });
    return b.node('DequantizeLinear', [cast, scale, b.scalar('z2', to, 0)]);
  }

  it('a cast to the type the codes have is nothing, as torch.ao writes it', async () => {
    expect(kindsOf(await agrees([6], (b) => castBetween(b, 'uint8', 2, 'uint8')))).toEqual(['input', 'quantize']);
  });

  it('a cast to a wider type keeps the codes', async () => {
    expect(kindsOf(await agrees([6], (b) => castBetween(b, 'uint8', 6, 'int32')))).toEqual(['input', 'quantize']);
  });

  it('codes as floats are the quantised value over its scale', async () => {
    const ops = await agrees([6], (b) => {
      const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 7)]);
      return b.node('Cast', [q], { to: 1 });
    });
    expect(kindsOf(ops)).toEqual(['input', 'quantize', 'affine']);
  });

  it('a cast to a type that does not hold the codes is refused', () => {
    const narrow = model([6], (b) => castBetween(b, 'uint8', 3, 'int8'));
    expect(codes(refused(narrow))).toEqual(['onnx/unsupported-form']);
  });
});

describe('opsets', () => {
  it.each([7, 8, 22, 23, 24, 25])('opset %d imports', (opset) => {
    const { network } = imported(
      model(
        [2, 4, 4],
        (b) => b.node('Relu', [b.node('Conv', ['x', b.floats('w', [3, 2, 3, 3], randomFloats(5, 54))])]),
        opset,
      ),
    );
    expect(kindsOf(network.ops)).toEqual(['input', 'conv', 'relu']);
  });

  it.each([22, 23])('the layers of opset %d compute what onnxruntime computes', async (opset) => {
    const make = (b: OnnxBuilder): string => {
      const x = b.fakeQuant('x', 0.02, 0, 'int8');
      const conv = b.node('Conv', [x, weight(b, 'w', [3, 2, 3, 3])], { pads: [1, 1, 1, 1] });
      const y = b.fakeQuant(b.node('Relu', [conv]), 0.05, 0);
      const mean = b.node('ReduceMean', [y, b.ints('axes', [2, 3])], { keepdims: 0 });
      return b.node('Gemm', [mean, weight(b, 'f', [4, 3])], { transB: 1 });
    };
    await agrees([2, 6, 6], make, opset);
  });
});

describe('a quantised last function', () => {
  const logits = (b: OnnxBuilder): string =>
    b.fakeQuant(b.node('Gemm', [b.fakeQuant('x', 0.02, 0, 'int8'), weight(b, 'w', [4, 8])], { transB: 1 }), 0.05, 128);

  it.each(['Softmax', 'LogSoftmax', 'Sigmoid'])('%s is left out with the quantiser behind it', async (last) => {
    const bytes = model([8], (b) => b.fakeQuant(b.node(last, [logits(b)]), 1 / 256, 0));
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(3, 8, 2));
    expect(network.sourceOutput).toMatchObject({ name: 'DequantizeLinear_8_out', dropped: last });
    expect(kindsOf(network.network.ops)).toEqual(['input', 'quantize', 'linear', 'quantize']);
  });

  it.each(['QLinearSoftmax', 'QLinearSigmoid'])('%s, on codes', (last) => {
    const bytes = model([8], (b) => {
      const q = b.node('QuantizeLinear', [
        b.node('Gemm', [b.fakeQuant('x', 0.02, 0, 'int8'), weight(b, 'w', [4, 8])], { transB: 1 }),
        b.scalar('gs', 'float', 0.05),
        b.scalar('gz', 'uint8', 128),
      ]);
      const [ys, yz] = [b.scalar('ys', 'float', 1 / 256), b.scalar('yz', 'uint8', 0)];
      const attributes = last === 'QLinearSoftmax' ? { opset: 13 } : {};
      const y = b.node(last, [q, 'gs', 'gz', ys, yz], attributes, { domain: 'com.microsoft' });
      return b.node('DequantizeLinear', [y, ys, yz]);
    });
    const { network, sourceOutput } = imported(bytes);
    expect(sourceOutput.dropped).toBe(last);
    expect(kindsOf(network.ops)).toEqual(['input', 'quantize', 'linear', 'quantize']);
  });

  it.each([1 / 255, 0.0039, 0.03, 0.3])(
    'QLinearSoftmax inside multiplies by ⌊1/scale⌋, as its kernel does (scale %f)',
    async (scale) => {
      const bytes = model([4, 8], (b) => {
        const q = b.node('QuantizeLinear', ['x', b.scalar('s', 'float', 0.02), b.scalar('z', 'uint8', 128)]);
        const [ys, yz] = [b.scalar('ys', 'float', scale), b.scalar('yz', 'uint8', 3)];
        const attributes = { opset: 13, axis: -1 };
        const y = b.node('QLinearSoftmax', [q, 's', 'z', ys, yz], attributes, { domain: 'com.microsoft' });
        return b.node('Relu', [b.node('DequantizeLinear', [y, ys, yz])]);
      });
      const input = randomFloats(29, 32, 2.5);
      const { network, output, ties } = await compareWithOnnxruntime(bytes, input);
      expect(kindsOf(network.network.ops)).toContain('softmax');
      expect(ties).toBe(0);
      // by hand: e^x of codes, over their sum, in whole steps
      const x = Array.from(input, (value) => 0.02 * Math.min(127, Math.max(-128, Math.round(value / 0.02))));
      const expected = x.map((value, i) => {
        const row = x.slice(i - (i % 8), i - (i % 8) + 8);
        const share = Math.exp(value) / row.reduce((sum, other) => sum + Math.exp(other), 0);
        return scale * Math.round(share * Math.floor(Math.fround(1 / Math.fround(scale))));
      });
      output.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
    },
  );

  it('with a layer behind the quantised Softmax it is a layer like others', async () => {
    const bytes = model([8], (b) =>
      b.node('Gemm', [b.fakeQuant(b.node('Softmax', [logits(b)]), 1 / 256, 0), weight(b, 'w2', [3, 4])], { transB: 1 }),
    );
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(3, 8, 2));
    expect(network.sourceOutput.dropped).toBeUndefined();
    expect(kindsOf(network.network.ops)).toEqual([
      'input',
      'quantize',
      'linear',
      'quantize',
      'softmax',
      'quantize',
      'linear',
    ]);
  });
});

describe('means over one axis', () => {
  it.each([
    [-1, -1, 0],
    [-2, -1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [2, 3, 1],
  ])('over axis %d, then %d (keepdims %d) are the mean of the image', async (first, second, keepdims) => {
    const ops = await agrees([3, 4, 5], (b) => {
      const mean = b.node('ReduceMean', [b.fakeQuant('x', 0.02, 0, 'int8')], { axes: [first], keepdims });
      return b.node('ReduceMean', [mean], { axes: [second], keepdims });
    });
    expect(ops[2]!.kind).toBe('globalavgpool');
  });

  it.each([2, 3])('over axis %d alone is an average pool', async (axis) => {
    const ops = await agrees([3, 4, 5], (b) => b.node('ReduceMean', ['x'], { axes: [axis], keepdims: 0 }));
    expect(kindsOf(ops)).toEqual(['input', 'avgpool', 'reshape']);
  });

  it('the mean over the batch is refused', () => {
    expect(codes(refused(model([3, 4, 5], (b) => b.node('ReduceMean', ['x'], { axes: [0] }))))).toEqual([
      'onnx/unsupported-form',
    ]);
  });
});
