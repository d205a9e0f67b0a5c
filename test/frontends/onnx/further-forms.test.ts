import { describe, expect, it } from 'vitest';
import { OnnxBuilder, rawBytes } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

type Make = (b: OnnxBuilder) => string;

function model(dims: readonly (number | string)[], make: Make, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

function weight(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(count, count, -100, 100) });
  b.scalar(`${name}_s`, 'float', 0.01);
  return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`]);
}

function features(b: OnnxBuilder, zero = 0): string {
  const conv = b.node('Conv', [b.fakeQuant('x', 0.02, 120), weight(b, 'w', [4, 2, 3, 3])], { pads: [1, 1, 1, 1] });
  return b.fakeQuant(conv, 0.0513, zero);
}

describe('channels padded with zeros', () => {
  it.each<[string, number, Make]>([
    ['before and behind, signed codes', 175, (b) => b.node('Pad', [features(b, 100), b.ints('p', [0, 1, 0, 0, 0, 2, 0, 0])])],
    ['with a border too', 252, (b) => b.node('Pad', [features(b), b.ints('p', [0, 3, 1, 0, 0, 0, 0, 1])])],
  ])('%s, then quantised', async (_, count, make) => {
    await convertsExactly(
      model([2, 5, 5], (b) => {
        const y = b.fakeQuant(make(b), 0.0479, 90);
        return b.node('Gemm', [b.node('Flatten', [y]), weight(b, 'f', [3, count])], { transB: 1 });
      }),
    );
  }); // prettier-ignore

  it('whose amounts are computed as PyTorch’s old exporter does', async () => {
    const bytes = model([2, 5, 5], (b) => {
      const half = b.ints('half', [0, 0, 0, 0, 1, 1, 0, 0]); // last axis first, begin and end
      const rows = b.node('Reshape', [half, b.ints('pairs', [-1, 2])]);
      const turned = b.node('Slice', [
        rows,
        b.ints('s', [-1]),
        b.ints('e', [-(2 ** 31)]),
        b.ints('a', [0]),
        b.ints('t', [-1]),
      ]);
      const pads = b.node('Reshape', [b.node('Transpose', [turned], { perm: [1, 0] }), b.ints('flat', [-1])]);
      const padded = b.node('Pad', [features(b), b.node('Cast', [pads], { to: 7 })]);
      return b.node('Conv', [b.fakeQuant(padded, 0.0491, 0), weight(b, 'v', [3, 6, 1, 1])]);
    });
    const { imported: network } = await convertsExactly(bytes);
    expect(network.ops.filter((op) => op.kind === 'conv').map((op) => op.type.shape[0])).toEqual([4, 6, 3]);
  });

  it('with another number they are refused', () => {
    const bytes = model([2, 5, 5], (b) =>
      b.node('Pad', ['x', b.ints('p', [0, 1, 0, 0, 0, 0, 0, 0]), b.scalar('v', 'float', 1)]),
    );
    expect(refused(bytes)[0]!.message).toContain('pads channels');
  });
});

describe('operator form with constants', () => {
  it.each([
    ['QLinearAdd', [4, 1, 1], false],
    ['QLinearAdd', [1], true],
    ['QLinearMul', [4, 1, 1], true],
    ['QLinearMul', [4, 5, 5], false],
  ] as const)('%s of a constant [%j]', async (op, dims, first) => {
    const bytes = model([2, 5, 5], (b) => {
      const params = (name: string, scale: number, zero: number): readonly [string, string] => [
        b.scalar(`${name}_scale`, 'float', scale),
        b.scalar(`${name}_zero`, 'uint8', zero),
      ];
      const x = params('x', 0.0513, 0);
      const y = b.node('QuantizeLinear', [b.node('Relu', [features(b)]), ...x]);
      const count = dims.reduce((a: number, n) => a * n, 1);
      const c = b.constant('c', { type: 'uint8', dims, values: randomInts(4, count, 0, 255) });
      const operands = [
        [y, ...x],
        [c, ...params('c', 0.0123, 101)],
      ];
      if (first) operands.reverse();
      const out = params('out', 0.0271, 77);
      const result = b.node(op, [...operands.flat(), ...out], {}, { domain: 'com.microsoft' });
      const conv = [b.node('DequantizeLinear', [result, ...out]), weight(b, 'v', [3, 4, 1, 1])];
      return b.node('Conv', conv);
    });
    await convertsExactly(bytes);
  });
});

describe('float16 contents', () => {
  it('weights of halves, cast to float in the graph, are the numbers they are', async () => {
    const halves = [0x3c00, 0xbc00, 0x0001, 0x8400, 0x7bff, 0x3555]; // 1, −1, 2⁻²⁴, −2⁻¹⁴, 65504, 0.333251953125
    const wanted = [1, -1, 2 ** -24, -(2 ** -14), 65504, 0.333251953125];
    const bytes = model([3], (b) => {
      b.graph.initializer.push({ name: 'h', dataType: 10, dims: [2, 3], rawData: rawBytes('uint16', halves) });
      return b.node('Gemm', [b.node('Relu', ['x']), b.node('Cast', ['h'], { to: 1 })], { transB: 1 });
    });
    const { network } = imported(bytes);
    const linear = network.ops.find((op) => op.kind === 'linear')!;
    expect([...network.params.get(linear.params['weight']!)!.tensor.data]).toEqual(wanted);
    await compareWithOnnxruntime(bytes, randomFloats(1, 3));
  });
});

describe('what a file is refused for is said once', () => {
  it('a problem that many nodes have is one line with how many', () => {
    const bytes = model([4], (b) => {
      let y = 'x';
      for (let i = 0; i < 70; i++) y = b.node(i % 7 === 0 ? 'Bernoulli' : 'Det', [y]);
      return y;
    });
    const messages = refused(bytes).map(({ message }) => message);
    expect(messages).toEqual([
      '10 × the operator Bernoulli is not supported',
      '60 × the operator Det is not supported',
    ]);
  });

  it.each(['LSTM', 'GRU', 'RNN'])('%s is refused with what there is in its place', (op) => {
    const problems = refused(model([4, 3], (b) => b.node(op, ['x', 'x', 'x'])));
    expect(problems.map(({ code }) => code)).toEqual(['onnx/unsupported-op']);
    expect(problems[0]!.help).toContain('delay(1)');
  });
});
