import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { evaluateAnn, paramReals } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';
import { npzArrays } from './npz.js';
import { codesEqual } from './spiking.js';

const domain = { domain: 'qonnx.custom_op.general' };
const modes = ['ROUND', 'CEIL', 'FLOOR', 'UP', 'DOWN', 'HALF_UP', 'HALF_DOWN'] as const;
type Mode = (typeof modes)[number];

interface Quantiser {
  readonly scale: number;
  readonly zero?: number;
  readonly bits: number;
  readonly signed?: 0 | 1;
  readonly narrow?: 0 | 1;
  readonly mode?: Mode | 'half_even';
}

function model(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset, { 'qonnx.custom_op.general': 1 });
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

let count = 0;
function quant(b: OnnxBuilder, x: string, q: Quantiser, opType = 'Quant', at = domain): string {
  const n = count++;
  const params = [q.scale, q.zero ?? 0, q.bits].map((value, i) => b.scalar(`p${n}.${i}`, 'float', value));
  const attributes = { signed: q.signed ?? 1, narrow: q.narrow ?? 0, rounding_mode: q.mode ?? 'ROUND' };
  return b.node(opType, [x, ...params], attributes, at);
}

/** What QONNX's specification says, in float64, once more: for one number. */
function specified(x: number, { scale, zero = 0, bits, signed = 1, narrow = 0, mode = 'ROUND' }: Quantiser): number {
  let y = x / scale + zero;
  if (bits === 1 && signed === 1) y = y >= 0 ? 1 : -1;
  else {
    const least = signed === 1 ? -(2 ** (bits - 1)) + narrow : 0;
    const most = signed === 1 ? 2 ** (bits - 1) - 1 : 2 ** bits - 1 - narrow;
    y = Math.max(least, Math.min(most, y));
    const size = Math.abs(y);
    const even = (v: number): number => {
      const r = Math.round(v);
      return Math.abs(v - Math.trunc(v)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
    };
    const by = {
      ROUND: () => even(y),
      half_even: () => even(y),
      CEIL: () => Math.ceil(y),
      FLOOR: () => Math.floor(y),
      UP: () => Math.sign(y) * Math.ceil(size),
      DOWN: () => Math.trunc(y),
      HALF_UP: () => Math.sign(y) * Math.floor(size + 0.5),
      HALF_DOWN: () => Math.sign(y) * Math.ceil(size - 0.5),
    };
    y = by[mode]();
  }
  return (y - zero) * scale;
}

/** Numbers a sixteenth of a step apart around the whole range: every tie is among them. */
function ladder(scale: number, reach: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 32 * reach + 1 }, (_, i) => (i / 16 - reach) * scale);
}

const quantisers: readonly Quantiser[] = [
  { scale: 0.25, bits: 3 },
  { scale: 0.25, bits: 3, narrow: 1 },
  { scale: 0.5, bits: 4, signed: 0 },
  { scale: 0.5, bits: 3, signed: 0, narrow: 1 },
  { scale: 0.25, bits: 3, zero: 1 },
  { scale: 0.25, bits: 4, zero: 5, signed: 0 },
  { scale: 2, bits: 3, zero: 0.5 },
  { scale: 1, bits: 2.5, signed: 0 },
  { scale: 1, bits: 3.3 },
  { scale: 1, bits: 3.3, narrow: 1, zero: -2 },
  { scale: 0.5, bits: 1 },
  { scale: 0.5, bits: 1, zero: 1 },
  { scale: 0.5, bits: 1, signed: 0 },
];
const cases = quantisers.flatMap((q) => modes.map((mode) => ({ ...q, mode })));

describe('QONNX Quant', () => {
  it.each(cases)('quantises every value, and every tie, as specified: %o', async (q) => {
    const x = ladder(q.scale, 12);
    const bytes = model([x.length], (b) => quant(b, 'x', q));
    const { network } = imported(bytes);
    const output = evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;
    expect([...output].map((v) => v + 0)).toEqual([...x].map((v) => specified(v, q) + 0));
    // QONNX's own executor, written out in ONNX's operators, in float32
    expect((await compareWithOnnxruntime(bytes, x)).ties).toBe(0);
  });

  it.each(cases)('a constant is folded to the same values: %o', (q) => {
    const values = ladder(q.scale, 12);
    const bytes = model([values.length], (b) => {
      const w = quant(b, b.floats('w', [1, values.length], values), q);
      return b.node('Gemm', [quant(b, 'x', { scale: 1, bits: 4 }), w], { transB: 1 });
    });
    const { network } = imported(bytes);
    const weight = network.params.get(network.ops.find(({ kind }) => kind === 'linear')!.params['weight']!)!;
    expect([...paramReals(weight)].map((v) => v + 0)).toEqual([...values].map((v) => specified(v, q) + 0));
  });

  it.each(cases)('spikes carry its codes, ties and all: %o', (q) => {
    // one image of every sixteenth of a step, twice through the quantiser: in the encoder and in neurons
    const x = ladder(q.scale, 12);
    const bytes = model([1], (b) => {
      const first = quant(b, 'x', { scale: q.scale / 16, bits: 12 });
      return b.node('Mul', [quant(b, first, q), b.scalar('one', 'float', 1)]);
    });
    const { logits } = codesEqual(bytes, x, 12);
    expect([...logits].map((v) => v + 0)).toEqual([...x].map((v) => specified(v, q) + 0));
  });
});

describe('QONNX BipolarQuant', () => {
  it.each(['qonnx.custom_op.general', 'finn.custom_op.general', 'onnx.brevitas'])(
    'is scale where x ≥ 0, else −scale, in the domain %s, imported or not',
    async (name) => {
      const x = Float32Array.of(-2, -1e-30, -0, 0, 1e-30, 3);
      const builder = new OnnxBuilder(13, {});
      builder.input('x', ['N', 6]);
      builder.output(builder.node('BipolarQuant', ['x', builder.scalar('s', 'float', 0.75)], {}, { domain: name }));
      const { output } = await compareWithOnnxruntime(builder.bytes(), x);
      expect([...output]).toEqual([-0.75, -0.75, 0.75, 0.75, 0.75, 0.75]);
    },
  );

  it.each(['', 'finn.custom_op.general.quant', 'my.tool'])(
    'all of QONNX is read in the domain "%s" too, imported or not',
    async (name) => {
      const at = { domain: name };
      const builder = new OnnxBuilder(13, {});
      builder.input('x', ['N', 12]);
      const coarse = quant(builder, 'x', { scale: 0.25, bits: 6 }, 'Quant', at);
      const again = quant(builder, coarse, { scale: 0.25, bits: 5, mode: 'FLOOR' }, 'IntQuant', at);
      const params = [0.25, 0, 5, 3].map((value, i) => builder.scalar(`t${i}`, 'float', value));
      const cut = builder.node('Trunc', [again, ...params], { rounding_mode: 'FLOOR' }, at);
      const rows = builder.floats('rows', [1, 3], [-0.75, -0.25, 0.5]);
      const counted = builder.node('MultiThreshold', [cut, rows], { out_bias: { float: -1.5 } }, at);
      builder.output(builder.node('BipolarQuant', [counted, builder.scalar('s', 'float', 2)], {}, at));
      const x = randomFloats(13, 12, 4);
      const { output, compared } = await compareWithOnnxruntime(builder.bytes(), x);
      expect(compared).toBeGreaterThanOrEqual(3);
      expect(new Set(output)).toEqual(new Set([-2, 2]));
    },
  );

  it('a network of bits only, weights and activations, fires the codes of its file', async () => {
    const make = (b: OnnxBuilder): string => {
      const s = b.scalar('s', 'float', 1);
      const bit = (x: string): string => b.node('BipolarQuant', [x, s], {}, domain);
      const first = bit(
        b.node('Sub', [b.node('Mul', ['x', b.scalar('two', 'float', 2)]), b.scalar('half', 'float', 1)]),
      );
      const w = b.node('Transpose', [bit(b.floats('w', [5, 8], randomFloats(4, 40)))], { perm: [1, 0] });
      const hidden = bit(
        b.node('Add', [b.node('MatMul', [first, w]), b.floats('shift', [5], [0.5, -0.5, 1.5, 0, 0.5])]),
      );
      return b.node('MatMul', [hidden, bit(b.floats('v', [5, 3], randomFloats(5, 15)))]);
    };
    const bytes = model([8], make);
    const images = randomFloats(6, 80);
    const { codes, logits } = codesEqual(bytes, images, 4);
    expect(codes).toBe(130);
    for (let n = 0; n < 10; n++) {
      const { output } = await compareWithOnnxruntime(bytes, images.slice(8 * n, 8 * n + 8));
      expect([...logits.subarray(3 * n, 3 * n + 3)].map(Math.round)).toEqual([...output]);
    }
  });

  it('borders padded with 0 lie between the two codes', async () => {
    const bytes = model([2, 4, 4], (b) => {
      const bit = b.node('BipolarQuant', ['x', b.scalar('s', 'float', 0.5)], {}, domain);
      const w = quant(b, b.floats('w', [3, 2, 3, 3], randomFloats(9, 54)), { scale: 0.125, bits: 4, narrow: 1 });
      const conv = b.node('Conv', [bit, w], { pads: [1, 1, 1, 1] });
      return b.node('Flatten', [quant(b, conv, { scale: 0.125, bits: 6 })]);
    });
    const images = randomFloats(11, 32);
    const { output } = await compareWithOnnxruntime(bytes, images);
    expect([...codesEqual(bytes, images).logits]).toEqual([...output].map((v) => v + 0));
  });
});

describe('QONNX Trunc', () => {
  const cuts = modes.flatMap((mode) => [
    { mode, cut: 2, zero: 0 },
    { mode, cut: 1, zero: 1 },
    { mode, cut: 3, zero: 3 },
    { mode, cut: 0, zero: 0 },
  ]);

  it.each(cuts)('version 1 cuts bits off and keeps the scale: %o', async ({ mode, cut, zero }) => {
    const bytes = model([4, 4, 4], (b) => {
      const x = b.node('AveragePool', [quant(b, 'x', { scale: 0.25, bits: 6 })], {
        kernel_shape: [2, 2],
        strides: [2, 2],
      });
      const params = [0.0625, zero, 8, 8 - cut].map((value, i) => b.scalar(`t${i}`, 'float', value));
      return b.node('Flatten', [b.node('Trunc', [x, ...params], { rounding_mode: mode }, domain)]);
    });
    const images = randomFloats(17, 128, 9);
    const { logits } = codesEqual(bytes, images, 10);
    const { output } = await compareWithOnnxruntime(bytes, images.slice(64));
    expect([...logits.subarray(16)].map((v) => v + 0)).toEqual([...output].map((v) => v + 0));
  });

  it.each(cuts)('version 2 goes to a coarser scale and clips: %o', async ({ mode, cut, zero }) => {
    const builder = new OnnxBuilder(13, { 'qonnx.custom_op.general': 2 });
    builder.input('x', ['N', 64]);
    const x = quant(builder, 'x', { scale: 0.5, bits: 7 });
    const values = [0.5, zero, 8, 0.5 * 2 ** cut, 5];
    const params = values.map((value, i) => builder.scalar(`t${i}`, 'float', value));
    const attributes = { rounding_mode: mode, signed: 1, narrow: 0 };
    builder.output(builder.node('Trunc', [x, ...params], attributes, domain));
    const bytes = builder.bytes();
    const images = Float32Array.from({ length: 64 }, (_, i) => i - 32);
    const { logits } = codesEqual(bytes, images, 10);
    const { output } = await compareWithOnnxruntime(bytes, images);
    expect([...logits].map((v) => v + 0)).toEqual([...output].map((v) => v + 0));
  });

  it('values between the integers are rounded before they are cut', async () => {
    const bytes = model([161], (b) => {
      const x = b.node('Clip', ['x', b.scalar('lo', 'float', -20), b.scalar('hi', 'float', 20)]);
      const params = [1, 0, 8, 6].map((value, i) => b.scalar(`t${i}`, 'float', value));
      return b.node('Trunc', [x, ...params], { rounding_mode: 'FLOOR' }, domain);
    });
    await compareWithOnnxruntime(
      bytes,
      Float32Array.from({ length: 161 }, (_, i) => (i - 80) / 4),
    );
  });

  it('version 1 refuses values without bounds, and the form of another version', () => {
    const make = (inputs: number) => (b: OnnxBuilder) => {
      const params = [1, 0, 8, 2, 4].slice(0, inputs - 1).map((value, i) => b.scalar(`t${i}`, 'float', value));
      return b.node('Trunc', ['x', ...params], { rounding_mode: 'FLOOR' }, domain);
    };
    expect(refused(model([4], make(5)))[0]!.help).toContain('doesn’t clip');
    expect(refused(model([4], make(6)))[0]!.help).toContain('version 2 has 6');
  });
});

it('scales may be of float64 beside values of float32', async () => {
  const bytes = model([6], (b) => {
    const wide = (name: string, value: number): string =>
      b.constant(name, { type: 'double', dims: [], values: [value] });
    const params = [b.scalar('zero', 'float', 0), b.scalar('bits', 'float', 6)];
    const w = b.node('Quant', [b.floats('w', [6, 3], randomFloats(8, 18)), wide('ws', 0.03125), ...params], {}, domain);
    return b.node('MatMul', [b.node('Quant', ['x', wide('xs', 0.0625), ...params], {}, domain), w]);
  });
  const comparison = await compareWithOnnxruntime(bytes, randomFloats(9, 6, 2));
  expect(comparison.compared).toBeGreaterThan(1);
});

describe('MultiThreshold', () => {
  interface Levels {
    readonly rows: readonly (readonly number[])[];
    readonly scale?: number;
    readonly bias?: number;
    readonly layout?: string;
  }
  const thresholds = (b: OnnxBuilder, x: string, { rows, scale = 1, bias = 0, layout = 'NCHW' }: Levels): string => {
    const t = b.floats(`t${count++}`, [rows.length, rows[0]!.length], rows.flat());
    const attributes = { out_scale: { float: scale }, out_bias: { float: bias }, data_layout: layout };
    return b.node('MultiThreshold', [x, t], attributes, domain);
  };
  const kinds = (bytes: Uint8Array): string[] => imported(bytes).network.ops.map(({ kind }) => kind);
  const same = async (bytes: Uint8Array, images: Float32Array<ArrayBuffer>, size: number): Promise<void> => {
    const { logits } = codesEqual(bytes, images, 12);
    const width = logits.length / (images.length / size);
    for (let n = 0; n * size < images.length; n++) {
      const { output } = await compareWithOnnxruntime(bytes, images.slice(size * n, size * (n + 1)));
      for (let i = 0; i < width; i++) expect(logits[width * n + i]).toBeCloseTo(output[i]!, 5);
    }
  };

  it('with equal distances it is one quantiser, a threshold itself counting', async () => {
    const rows = [[-0.5, 0, 0.5, 1, 1.5, 2, 2.5]];
    const bytes = model([81], (b) => thresholds(b, 'x', { rows, scale: 0.25, bias: -1 }));
    expect(kinds(bytes)).toEqual(['input', 'affine', 'quantize']);
    await same(
      bytes,
      Float32Array.from({ length: 81 }, (_, i) => (i - 30) / 16),
      81,
    );
  });

  it('equal distances that float32 rounds are one quantiser, rows that are alike one row', async () => {
    // as FINN makes them of an 8-bit Quant: 255 sums of float32, whose distances differ by 1e-5 of one
    const step = Math.fround(0.0076843);
    const first = Math.fround(-127.5 * step);
    const row = Array.from({ length: 255 }, (_, j) => Math.fround(first + Math.fround(j * step)));
    const off = row.map((t, j) => Math.abs(t - first - (j * (row[254]! - first)) / 254) / step);
    expect(Math.max(...off)).toBeGreaterThan(2e-6);
    const images = randomFloats(12, 162, 1.1);
    const single = model([81], (b) => thresholds(b, 'x', { rows: [row], scale: step, bias: -128 * step }));
    expect(kinds(single)).toEqual(['input', 'affine', 'quantize']);
    await same(single, images, 81);
    const alike = model([2, 9, 9], (b) => b.node('Flatten', [thresholds(b, 'x', { rows: [row, row], bias: -128 })]));
    expect(kinds(alike)).toEqual(['input', 'affine', 'quantize', 'flatten']);
    await same(alike, images, 162);
    // distances that do differ stay as they are
    const bent = row.map((t, j) => (j === 100 ? t + step / 100 : t));
    const table = model([2, 9, 9], (b) => b.node('Flatten', [thresholds(b, 'x', { rows: [bent, bent], bias: -128 })]));
    expect(kinds(table)).toEqual(['input', 'table', 'flatten']);
  });

  it('rounded thresholds of integers, one row a channel, are one quantiser', async () => {
    const row = (slope: number, start: number): number[] =>
      Array.from({ length: 15 }, (_, j) => Math.ceil((j + 0.5 - start) / slope));
    const bytes = model([2, 4, 4], (b) => {
      const first = thresholds(b, 'x', { rows: [Array.from({ length: 7 }, (_, j) => j - 3)], bias: -3 });
      const w = b.floats('w', [3, 2, 3, 3], [...randomFloats(5, 54, 4)].map(Math.round));
      const conv = b.node('Conv', [first, w], { pads: [1, 1, 1, 1] });
      return b.node('Flatten', [
        thresholds(b, conv, { rows: [row(0.31, 2.2), row(0.17, 9), row(0.22, 5.5)], bias: -8 }),
      ]);
    });
    expect(kinds(bytes)).toEqual(['input', 'affine', 'quantize', 'conv', 'affine', 'quantize', 'flatten']);
    await same(bytes, randomFloats(6, 128, 5), 32);
  });

  it('unequal thresholds are a quantiser of a bit each', async () => {
    const rows = [
      [-1, 0.25, 2],
      [0, 3, 3],
    ];
    const bytes = model([2, 3, 3], (b) => b.node('Flatten', [thresholds(b, 'x', { rows, scale: 2, bias: -3 })]));
    expect(kinds(bytes).filter((kind) => kind === 'quantize')).toHaveLength(3);
    await same(
      bytes,
      Float32Array.from({ length: 72 }, (_, i) => ((i * 7) % 41) / 8 - 1.5),
      18,
    );
  });

  it('channels may come last', async () => {
    const bytes = model([2, 3, 4], (b) => {
      const last = b.node('Transpose', ['x'], { perm: [0, 2, 3, 1] });
      const levels = thresholds(b, last, {
        rows: [
          [0, 1],
          [-1, 0.5],
        ],
        layout: 'NHWC',
      });
      return b.node('Flatten', [b.node('Transpose', [levels], { perm: [0, 3, 1, 2] })]);
    });
    await same(bytes, randomFloats(8, 72, 2), 24);
  });

  it.each([
    [
      'many unequal thresholds of reals',
      { rows: [0, 1].map((c) => Array.from({ length: 16 }, (_, j) => j * j + c)) },
      'onnx/unsupported-form',
    ],
    ['a threshold that is no number', { rows: [[0, NaN]] }, 'onnx/not-finite'],
    ['a scale of 0', { rows: [[0, 1]], scale: 0 }, 'onnx/bad-attribute'],
    ['rows that don’t fit the channels', { rows: [[0], [1], [2]] }, 'onnx/shape-mismatch'],
  ])('%s is refused', (_, levels, code) => {
    expect(codes(refused(model([2, 3, 3], (b) => thresholds(b, 'x', levels))))).toContain(code);
  });
});

describe('QONNX with channels last', () => {
  const last = { domain: 'qonnx.custom_op.channels_last' };

  it('Conv, BatchNormalization and MaxPool are those of images whose channels are first', async () => {
    const bytes = model([2, 8, 8], (b) => {
      const x = b.node('Transpose', [quant(b, 'x', { scale: 0.125, bits: 6 })], { perm: [0, 2, 3, 1] });
      const w = quant(b, b.floats('w', [4, 3, 3, 2], randomFloats(21, 72)), { scale: 0.125, bits: 4, narrow: 1 });
      const conv = b.node('Conv', [x, w], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }, last);
      const norm = ['g', 'b', 'm', 'v'].map((name, i) =>
        b.floats(
          name,
          [4],
          randomFloats(i + 3, 4).map((v) => Math.abs(v) + 0.5),
        ),
      );
      const normed = b.node('BatchNormalization', [conv, ...norm], { epsilon: { float: 1e-4 } }, last);
      const hidden = quant(b, b.node('Relu', [normed]), { scale: 0.25, bits: 4, signed: 0 });
      const pooled = b.node('MaxPool', [hidden], { kernel_shape: [2, 2], strides: [2, 2] }, last);
      return b.node('Flatten', [b.node('Transpose', [pooled], { perm: [0, 3, 1, 2] })]);
    });
    const images = randomFloats(22, 256, 3);
    const { logits } = codesEqual(bytes, images);
    const { output, network } = await compareWithOnnxruntime(bytes, images.slice(128));
    expect(network.network.ops.map(({ kind }) => kind)).toEqual([
      'input',
      'quantize',
      'conv',
      'batchnorm',
      'relu',
      'quantize',
      'maxpool',
      'flatten',
    ]);
    expect([...logits.subarray(64)]).toEqual([...output]);
  });
});

describe('QONNX parameters', () => {
  it.each([
    ['of the tensor, one element', [1], [0.5]],
    ['per output, [O, 1]', [4, 1], [0.5, 0.25, 1, 2]],
    ['per input, [1, I]', [1, 3], [0.5, 0.25, 1]],
    ['per input, [I]', [3], [0.5, 0.25, 1]],
  ] as const)('weights have scales %s and stay integer codes', async (_, dims, scales) => {
    const bytes = model([3], (b) => {
      const params = [b.floats('s', dims, scales), b.scalar('z', 'float', 0), b.scalar('n', 'float', 3)];
      const attributes = { signed: 1, narrow: 1, rounding_mode: 'ROUND' };
      const w = b.node('Quant', [b.floats('w', [4, 3], randomFloats(3, 12, 3)), ...params], attributes, domain);
      return b.node('Gemm', [quant(b, 'x', { scale: 0.1, bits: 5 }), w], { transB: 1 });
    });
    const { network } = imported(bytes);
    const weight = network.params.get(network.ops.find(({ kind }) => kind === 'linear')!.params['weight']!)!;
    expect(weight.tensor.dtype).toBe('i8');
    expect([...weight.tensor.data].every((code) => Math.abs(code) <= 3)).toBe(true);
    const images = randomFloats(12, 30, 2);
    await compareWithOnnxruntime(bytes, images.slice(0, 3));
    codesEqual(bytes, images);
  });

  it('scales on two axes, or a bit width of its own per channel, give reals', async () => {
    const bytes = model([3], (b) => {
      const scales = b.floats('s', [2, 3], [0.5, 0.25, 1, 1, 2, 0.125]);
      const bits = b.floats('n', [2, 1], [2, 4]);
      const attributes = { signed: 1, narrow: 0, rounding_mode: 'FLOOR' };
      const inputs = [b.floats('w', [2, 3], randomFloats(3, 6, 3)), scales, b.scalar('z', 'float', 0), bits];
      const w = b.node('IntQuant', inputs, attributes, domain);
      return b.node('Gemm', [quant(b, 'x', { scale: 0.1, bits: 5 }), w], { transB: 1 });
    });
    await compareWithOnnxruntime(bytes, randomFloats(12, 3, 2));
  });

  it('a bias of 32 bits is a parameter', async () => {
    const bytes = model([3], (b) => {
      const x = quant(b, 'x', { scale: 0.1, bits: 5 });
      const w = quant(b, b.floats('w', [2, 3], randomFloats(3, 6)), { scale: 0.01, bits: 8, narrow: 1 });
      const bias = quant(b, b.floats('bias', [2], [12345.678, -0.0104]), { scale: 0.001, bits: 32 });
      return b.node('Gemm', [x, w, bias], { transB: 1 });
    });
    const { output } = await compareWithOnnxruntime(bytes, Float32Array.of(0, 0, 0));
    expect(output[0]).toBeCloseTo(12345.678, 2);
    expect(output[1]).toBeCloseTo(-0.01, 8);
  });

  it('an activation may have a scale per channel: it belongs to the layers around', async () => {
    const bytes = model([3, 2, 2], (b) => {
      const params = [
        b.floats('s', [1, 3, 1, 1], [0.5, 0.25, 1]),
        b.scalar('z', 'float', 0),
        b.scalar('n', 'float', 3),
      ];
      const x = b.node('Quant', ['x', ...params], { signed: 0, narrow: 0, rounding_mode: 'ROUND' }, domain);
      const w = quant(b, b.floats('w', [2, 3, 1, 1], randomFloats(3, 6)), { scale: 0.1, bits: 4 });
      return b.node('Flatten', [quant(b, b.node('Conv', [x, w]), { scale: 0.1, bits: 6 })]);
    });
    const images = randomFloats(13, 12, 3);
    const { output } = await compareWithOnnxruntime(bytes, images);
    const { logits } = codesEqual(bytes, images);
    logits.forEach((v, i) => expect(v).toBeCloseTo(output[i]!, 5));
  });

  const bad = (param: number, value: number) => (b: OnnxBuilder) => {
    const params = [0.5, 0, 4].map((given, i) => b.scalar(`p${i}`, 'float', i === param ? value : given));
    return b.node('Quant', ['x', ...params], { signed: 1, narrow: 0, rounding_mode: 'ROUND' }, domain);
  };

  it.each([
    ['a scale of 0', bad(0, 0), 'onnx/bad-scale'],
    ['a negative scale', bad(0, -1), 'onnx/bad-scale'],
    ['a scale that is no number', bad(0, NaN), 'onnx/bad-scale'],
    ['an infinite scale', bad(0, Infinity), 'onnx/bad-scale'],
    ['a denormal scale', bad(0, 1e-40), 'onnx/bad-scale'],
    ['a zero point that is no number', bad(1, NaN), 'onnx/not-finite'],
    ['no bits', bad(2, 0), 'onnx/bad-attribute'],
    ['bits that are no number', bad(2, NaN), 'onnx/not-finite'],
    [
      'a computed scale',
      (b: OnnxBuilder) => b.node('BipolarQuant', ['x', b.node('Relu', ['x'])], {}, domain),
      'onnx/not-constant',
    ],
    [
      'a rounding mode of no name',
      (b: OnnxBuilder) => quant(b, 'x', { scale: 1, bits: 2, mode: 'TRUNC' as Mode }),
      'onnx/bad-attribute',
    ],
  ])('%s is refused', (_, make, code) => {
    expect(codes(refused(model([2], make)))).toContain(code);
  });
});

const folder = join(import.meta.dirname, '../../../../shared/cases/turn2');
const present = existsSync(folder);
if (!present) console.warn(`skipped: QONNX files of Brevitas, ${folder} is absent`);

describe.skipIf(!present)('QONNX as Brevitas writes it', () => {
  it.each(['brevitas-qonnx-w4a4', 'brevitas-qonnx-binary-mlp', 'qonnx-convert-int32-bias'])(
    '%s gives what qonnx’s executor gives, and its SNN the same codes',
    async (name) => {
      const bytes = readFileSync(join(folder, `toolchains/${name}.onnx`));
      const arrays = npzArrays(readFileSync(join(folder, `toolchains/${name}.npz`)));
      const [x, y] = [arrays.get('x')!, arrays.get('y')!].map(({ data }) => Float32Array.from(data)) as [
        Float32Array<ArrayBuffer>,
        Float32Array<ArrayBuffer>,
      ];
      const { logits } = codesEqual(bytes, x);
      for (let n = 0; n < 8; n++) {
        const { output } = await compareWithOnnxruntime(bytes, x.slice(784 * n, 784 * n + 784));
        for (let i = 0; i < 10; i++) {
          expect(output[i]).toBeCloseTo(y[10 * n + i]!, 4);
          expect(logits[10 * n + i]).toBeCloseTo(y[10 * n + i]!, 4);
        }
      }
    },
  );
});
