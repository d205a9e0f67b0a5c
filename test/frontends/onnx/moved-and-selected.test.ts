import { describe, expect, it } from 'vitest';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { convertsExactly } from './exact-snn.js';
import { runPipeline } from '../../../src/passes/index.js';
import { surroundings, sws } from '../../support/sws.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';

type Make = (b: OnnxBuilder) => string;

function model(dims: readonly (number | string)[], make: Make, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset);
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

/** Weight codes with their scale, dequantised. */
function weight(b: OnnxBuilder, name: string, dims: readonly number[]): string {
  const count = dims.reduce((a, n) => a * n, 1);
  b.constant(`${name}_q`, { type: 'int8', dims, values: randomInts(name.length + count, count, -100, 100) });
  b.scalar(`${name}_s`, 'float', 0.01);
  return b.node('DequantizeLinear', [`${name}_q`, `${name}_s`]);
}

/** x quantised, a convolution to 6 channels, Relu, quantised: [N, 6, 6, 6]. */
function features(b: OnnxBuilder): string {
  const conv = b.node('Conv', [b.fakeQuant('x', 0.02, 120), weight(b, 'w', [6, 2, 3, 3])], { pads: [1, 1, 1, 1] });
  return b.fakeQuant(b.node('Relu', [conv]), 0.0513, 0);
}

function head(b: OnnxBuilder, y: string, count: number): string {
  return b.node('Gemm', [b.node('Flatten', [y]), weight(b, 'f', [3, count])], { transB: 1 });
}

const conv = (b: OnnxBuilder, y: string, channels: number): string =>
  b.fakeQuant(b.node('Conv', [y, weight(b, 'v', [4, channels, 1, 1])]), 0.0437, 128);

describe('values chosen and moved are exact in the spiking network', () => {
  it.each<[string, number, Make]>([
    ['channels 1 to 4', 108, (b) => b.node('Slice', [features(b), b.ints('s', [1]), b.ints('e', [4]), b.ints('a', [1])])],
    [
      'every second row and column',
      54,
      (b) => b.node('Slice', [features(b), b.ints('s', [0, 1]), b.ints('e', [6, 2 ** 31]), b.ints('a', [2, -1]), b.ints('t', [2, 2])]),
    ],
    ['one channel', 36, (b) => b.node('Gather', [features(b), b.ints('i', [4])], { axis: 1 })],
    ['a channel by a scalar index', 36, (b) => b.node('Gather', [features(b), b.scalar('i', 'int64', -2)], { axis: 1 })],
    ['channels in another order', 216, (b) => b.node('Gather', [features(b), b.ints('i', [3, 4, 5, 0, 2, 1])], { axis: 1 })],
    ['columns in another order', 108, (b) => b.node('Gather', [features(b), b.ints('i', [5, 0, 2])], { axis: 3 })],
    ['channels last', 216, (b) => b.node('Transpose', [features(b)], { perm: [0, 2, 3, 1] })],
    [
      'channels last, as [N, 36, 6], then [N, 6, 36]',
      216,
      (b) => {
        const last = b.node('Transpose', [features(b)], { perm: [0, 2, 3, 1] });
        return b.node('Transpose', [b.node('Reshape', [last, b.ints('s', [0, 36, 6])])], { perm: [0, 2, 1] });
      },
    ],
    [
      'space to depth',
      216,
      (b) => {
        const split = b.node('Reshape', [features(b), b.ints('s', [-1, 6, 3, 2, 3, 2])]);
        return b.node('Reshape', [b.node('Transpose', [split], { perm: [0, 3, 5, 1, 2, 4] }), b.ints('t', [-1, 24, 3, 3])]);
      },
    ],
  ])('%s, then all connected', async (_, count, make) => {
    await convertsExactly(model([2, 6, 6], (b) => head(b, make(b), count)));
  }); // prettier-ignore

  it('a channel shuffle between convolutions, its shape computed from the input’s', async () => {
    const bytes = model([2, 6, 6], (b) => {
      const y = features(b);
      const batch = b.node('Gather', [b.node('Shape', [y]), b.ints('zero', [0])], { axis: 0 });
      const five = b.node('Concat', [batch, b.ints('groups', [2, 3, 6, 6])], { axis: 0 });
      const four = b.node('Concat', [batch, b.ints('whole', [6, 6, 6])], { axis: 0 });
      const moved = b.node('Transpose', [b.node('Reshape', [y, five])], { perm: [0, 2, 1, 3, 4] });
      return head(b, conv(b, b.node('Reshape', [moved, four]), 6), 144);
    });
    const { spiking } = await convertsExactly(bytes);
    expect(spiking.ops.filter((op) => op.kind === 'neuron')).toHaveLength(2);
  });

  it.each([
    [11, {}, undefined],
    [13, {}, [2, 4]],
    [18, { num_outputs: 3 }, undefined],
  ] as const)('Split of opset %i: parts convolved, added and joined', async (opset, attributes, sizes) => {
    const bytes = model(
      [2, 6, 6],
      (b) => {
        const inputs = sizes === undefined ? [] : [b.ints('parts', sizes)];
        const parts = sizes?.length ?? 3;
        const outputs = Array.from({ length: parts }, (_, i) => `part${i}`);
        b.nodes('Split', [features(b), ...inputs], outputs, { axis: 1, ...attributes });
        const first = conv(b, 'part0', 2);
        return head(b, b.node('Concat', [first, first], { axis: 1 }), 288);
      },
      opset,
    );
    await convertsExactly(bytes);
  });

  it('codes are chosen as their reals are: Slice between QuantizeLinear and DequantizeLinear', async () => {
    const bytes = model([2, 6, 6], (b) => {
      const q = [b.scalar('qs', 'float', 0.0513), b.scalar('qz', 'uint8', 0)];
      const y = b.node('QuantizeLinear', [b.node('Relu', [features(b)]), ...q]);
      const cut = b.node('Slice', [y, b.ints('s', [2]), b.ints('e', [5]), b.ints('a', [1])]);
      return head(b, b.node('DequantizeLinear', [cut, ...q]), 108);
    });
    await convertsExactly(bytes);
  });

  it.each([1, 2, 3, -1])('a concatenation along axis %i', async (axis) => {
    const bytes = model([2, 6, 6], (b) => {
      const y = features(b);
      return head(b, b.node('Concat', [y, y], { axis }), 432);
    });
    await convertsExactly(bytes);
  });

  it('a concatenation of rows with different scales, behind which a quantiser stands', async () => {
    const bytes = model([2, 6, 6], (b) => {
      const y = features(b);
      const joined = b.node('Concat', [y, conv(b, b.node('Concat', [y, y], { axis: 1 }), 12)], { axis: 1 });
      const rows = b.node('Concat', [joined, joined], { axis: 2 });
      return head(b, b.fakeQuant(rows, 0.0619, 128), 720);
    });
    await convertsExactly(bytes);
  });

  it('an Add of a value and its own transposition of the transposed', async () => {
    const bytes = model([2, 6, 6], (b) => {
      const y = features(b);
      const last = b.node('Transpose', [y], { perm: [0, 2, 3, 1] });
      const swapped = b.node('Transpose', [y], { perm: [0, 3, 2, 1] });
      const sum = b.node('Transpose', [b.node('Add', [last, swapped])], { perm: [0, 3, 1, 2] });
      return head(b, conv(b, b.fakeQuant(sum, 0.0971, 0), 6), 144);
    });
    await convertsExactly(bytes);
  });

  it('an output in another order than the network’s is moved', async () => {
    await convertsExactly(
      model([2, 6, 6], (b) => b.node('Transpose', [conv(b, features(b), 6)], { perm: [0, 2, 3, 1] })),
    );
    const float = model([2, 3, 4], (b) => b.node('Transpose', [b.node('Relu', ['x'])], { perm: [0, 3, 1, 2] }));
    const { network } = await compareWithOnnxruntime(float, randomFloats(3, 24));
    expect(network.network.ops.at(-1)).toMatchObject({ kind: 'transpose', type: { shape: [4, 2, 3] } });
  });

  it('images channels last, of three channels, through Transpose, convolution and Flatten', async () => {
    const bytes = model([6, 5, 3], (b) => {
      const first = b.node('Transpose', [b.fakeQuant('x', 0.02, 120)], { perm: [0, 3, 1, 2] });
      const y = b.node('Relu', [b.node('Conv', [first, weight(b, 'w', [4, 3, 3, 3])], { pads: [1, 1, 1, 1] })]);
      const last = b.node('Transpose', [b.fakeQuant(y, 0.0513, 0)], { perm: [0, 2, 3, 1] });
      return b.node('Gemm', [b.node('Reshape', [last, b.ints('s', [-1, 120])]), weight(b, 'f', [3, 120])], {
        transB: 1,
      });
    });
    await convertsExactly(bytes);
  });

  it('the batch stays whole and in front', () => {
    const cut = model([4], (b) => b.node('Slice', ['x', b.ints('s', [1]), b.ints('e', [2]), b.ints('a', [0])]));
    expect(codes(refused(cut))).toEqual(['onnx/unsupported-form']);
    const joined = model([4], (b) => b.node('Concat', ['x', 'x'], { axis: 0 }));
    expect(codes(refused(joined))).toEqual(['onnx/unsupported-form']);
    const empty = model([4], (b) => b.node('Slice', ['x', b.ints('s', [3]), b.ints('e', [3]), b.ints('a', [1])]));
    expect(codes(refused(empty))).toEqual(['onnx/unsupported-form']);
    const outside = model([4], (b) => b.node('Gather', ['x', b.ints('i', [4])], { axis: 1 }));
    expect(codes(refused(outside))).toEqual(['onnx/unsupported-form']);
    const parts = model([4], (b) => {
      b.nodes('Split', ['x', b.ints('p', [1, 2])], ['p0', 'p1'], { axis: 1 });
      return b.node('Relu', ['p0']);
    });
    expect(codes(refused(parts))).toEqual(['onnx/shape-mismatch']);
  });
});

describe('where a spiking network can’t follow', () => {
  it('a shuffle of a concatenation of trains of different scales is refused at the layer behind it', () => {
    const bytes = model([2, 6, 6], (b) => {
      const y = features(b);
      const joined = b.node('Concat', [y, conv(b, b.node('Concat', [y, y], { axis: 1 }), 12)], { axis: 1 });
      const shuffled = b.node('Gather', [joined, b.ints('i', [9, 1, 4, 3])], { axis: 1 });
      return b.node('Conv', [shuffled, weight(b, 'last', [3, 4, 1, 1])]);
    });
    const { diagnostics } = runPipeline(imported(bytes).network, sws(), surroundings);
    expect(diagnostics.map(({ code }) => code)).toEqual(['convert/no-quantiser']);
  });
});
