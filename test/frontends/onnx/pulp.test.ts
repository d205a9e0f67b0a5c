import { describe, expect, it } from 'vitest';
import type { Op } from '../../../src/network/types.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomInts, refused } from './harness.js';
import { codesEqual } from './spiking.js';

let count = 0;

/** A tensor of integers, as floats. */
function integers(b: OnnxBuilder, dims: readonly number[], least: number, most: number): string {
  const n = count++;
  return b.floats(
    `w${n}`,
    dims,
    randomInts(
      n + 1,
      dims.reduce((a, d) => a * d, 1),
      least,
      most,
    ),
  );
}

interface Shift {
  readonly channels: number;
  readonly dims?: readonly number[];
  readonly div: number;
  readonly levels: number;
  readonly signed?: boolean;
}

function requantShift(b: OnnxBuilder, x: string, shift: Shift, domain = 'PACTOps'): string {
  const { channels, dims = [channels, 1, 1], div, levels, signed = false } = shift;
  const one = (value: number): { tensor: { type: 'float'; dims: number[]; values: number[] } } => ({
    tensor: { type: 'float', dims: [], values: [value] },
  });
  const attributes = { div: one(div), n_levels_out: one(levels), signed: one(signed ? 1 : 0) };
  const inputs = [x, integers(b, dims, 30, 120), integers(b, dims, -2 * div, 2 * div)];
  return b.node('RequantShift', inputs, attributes, { domain });
}

function network(make: (b: OnnxBuilder) => string, dims: readonly number[] = [2, 5, 5]): Uint8Array {
  const b = new OnnxBuilder(13, {});
  b.input('x', ['N', ...dims]);
  b.output(make(b));
  return b.bytes();
}

async function same(bytes: Uint8Array, images: Float32Array<ArrayBuffer>, size: number): Promise<readonly Op[]> {
  const { logits } = codesEqual(bytes, images);
  const width = logits.length / (images.length / size);
  let ops: readonly Op[] = [];
  for (let n = 0; n * size < images.length; n++) {
    const found = await compareWithOnnxruntime(bytes, images.slice(size * n, size * (n + 1)));
    ops = found.network.network.ops;
    expect(found.ties).toBe(0);
    for (let i = 0; i < width; i++) expect(logits[width * n + i]).toBeCloseTo(found.output[i]!, 3);
  }
  return ops;
}

const bound = (b: OnnxBuilder, x: string, least: number, most: number): string =>
  b.node('Clip', [
    b.node('Round', [x]),
    b.scalar(`l${count++}`, 'float', least),
    b.scalar(`m${count++}`, 'float', most),
  ]);

describe('RequantShift', () => {
  it.each([false, true])(
    'a chain of convolutions on integers is exact, rounding and all (signed: %s)',
    async (signed) => {
      const bytes = network((b) => {
        const x = bound(b, 'x', -8, 7);
        const conv = b.node('Conv', [x, integers(b, [4, 2, 3, 3], -8, 7)], { pads: [1, 1, 1, 1] });
        const hidden = requantShift(b, conv, { channels: 4, div: 512, levels: 16, signed });
        const pooled = b.node('MaxPool', [hidden], { kernel_shape: [2, 2], strides: [1, 1] });
        const second = b.node('Conv', [pooled, integers(b, [3, 4, 3, 3], -8, 7)]);
        const last = requantShift(b, second, { channels: 3, dims: [1, 3, 1, 1], div: 256, levels: 32, signed });
        return b.node('Gemm', [b.node('Flatten', [last]), integers(b, [4, 12], -4, 4)], { transB: 1 });
      });
      const ops = await same(bytes, Float32Array.from(randomInts(7, 400, -8, 7)), 50);
      const attrs = ops.filter(({ kind }) => kind === 'quantize').map((op) => op.attrs);
      const [half, most] = signed ? [8, 16] : [0, 0];
      expect(attrs.slice(1)).toEqual([
        { scale: 1, zero: 0, min: 0 - half, max: 15 - half, rounding: 'half_up' },
        { scale: 1, zero: 0, min: 0 - most, max: 31 - most, rounding: 'half_up' },
      ]);
    },
  );

  it('sums of two branches are requantised, without a domain, one factor for all channels', async () => {
    const bytes = network((b) => {
      const x = bound(b, 'x', 0, 15);
      const conv = b.node('Conv', [x, integers(b, [2, 2, 1, 1], -8, 7)]);
      const branch = requantShift(b, conv, { channels: 2, dims: [1, 2, 1, 1], div: 256, levels: 16 });
      const sum = requantShift(b, b.node('Add', [branch, x]), { channels: 1, dims: [1], div: 128, levels: 16 }, '');
      return b.node('Flatten', [sum]);
    });
    await same(bytes, Float32Array.from(randomInts(8, 400, 0, 15)), 50);
  });

  it.each([
    ['rounds halves up', {}, 1n],
    ['rounds down where `rounding` is 0', { rounding: 0 }, 0n],
  ])('of lines %s, with one factor a channel as [C, 1, 1] or [C]', async (_, rounding, half) => {
    const [mul, add] = [
      [3, 64, 1001],
      [-8, 0, 2048],
    ] as const;
    for (const dims of [[3, 1, 1], [3]]) {
      const bytes = network(
        (b) => {
          const x = bound(b, 'x', -128, 127);
          const one = (value: number) => ({ tensor: { type: 'float' as const, dims: [], values: [value] } });
          const inputs = [x, b.floats('mul', dims, mul), b.floats('add', dims, add)];
          const shift = b.node('RequantShift', inputs, {
            ...{ div: one(128), n_levels: one(256), signed: one(1), ...rounding },
          });
          return b.node('Flatten', [shift]);
        },
        [3, 4],
      );
      const values = [-128, 127, 21, -21, 1, -1, 3, -3, 100, -100, 64, 0];
      // ⌊(v·mul + add)/128 (+ ½)⌋ in whole numbers
      const expected = values.map((v, i) => {
        const c = Math.floor(i / 4);
        const up = (BigInt(v) * BigInt(mul[c]!) + BigInt(add[c]!)) * 2n + half * 128n;
        const down = up / 256n - (up % 256n < 0n ? 1n : 0n);
        return Number(down > 127n ? 127n : down < -128n ? -128n : down);
      });
      expect([...codesEqual(bytes, Float32Array.from(values)).logits]).toEqual(expected);
      expect([...(await compareWithOnnxruntime(bytes, Float32Array.from(values))).output]).toEqual(expected);
    }
  });

  it.each([
    ['a division by 0', { channels: 2, div: 0, levels: 16 }, 'onnx/bad-attribute'],
    ['one level', { channels: 2, div: 16, levels: 1 }, 'onnx/bad-attribute'],
    ['a number of channels that doesn’t fit', { channels: 3, div: 16, levels: 16 }, 'onnx/shape-mismatch'],
  ])('%s is refused', (_, shift, code) => {
    expect(codes(refused(network((b) => requantShift(b, 'x', shift))))).toContain(code);
  });

  it('a multiplication by 0 is refused, as is a constant that is no number', () => {
    const make = (value: number) => (b: OnnxBuilder) => {
      const one = { tensor: { type: 'float' as const, dims: [], values: [16] } };
      const [mul, add] = [b.floats('mul', [1], [value]), b.floats('add', [1], [0])];
      return b.node('RequantShift', ['x', mul, add], { div: one, n_levels: one, signed: 0 }, { domain: 'PACTOps' });
    };
    expect(codes(refused(network(make(0))))).toContain('onnx/bad-scale');
    expect(codes(refused(network(make(NaN))))).toContain('onnx/not-finite');
  });
});

describe('inputs of integers', () => {
  it.each([
    ['uint8', 0, 255, { min: 0, max: 255 }],
    ['int8', -128, 127, { min: -128, max: 127 }],
  ] as const)(
    '%s are codes of scale 1, and a DequantizeLinear gives them another',
    async (type, least, most, range) => {
      const b = new OnnxBuilder(13, {});
      b.input('x', ['N', 6], type);
      const params = [b.scalar('s', 'float', 0.05), b.scalar('z', type, 3)];
      const x = b.node('DequantizeLinear', ['x', ...params]);
      const w = b.floats(
        'w',
        [4, 6],
        randomInts(3, 24, -9, 9).map((v) => v / 16),
      );
      b.output(b.node('Gemm', [x, w], { transB: 1 }));
      const { network: read, sourceInputs } = imported(b.bytes());
      expect(sourceInputs[0]!.dtype).toBe(type === 'uint8' ? 'u8' : 'i8');
      const scale = Math.fround(0.05);
      expect(read.ops.slice(1, 3)).toMatchObject([
        { kind: 'affine' },
        { kind: 'quantize', attrs: { scale, zero: 3, ...range } },
      ]);
      const images = Float32Array.from(randomInts(5, 60, least, most));
      const { logits } = codesEqual(b.bytes(), images);
      for (let o = 0; o < 4; o++) {
        let sum = 0;
        for (let i = 0; i < 6; i++)
          sum += (images[i]! - 3) * Math.fround(0.05) * (randomInts(3, 24, -9, 9)[o * 6 + i]! / 16);
        expect(logits[o]).toBeCloseTo(sum, 3);
      }
    },
  );
});

describe('sums that quantlab and DORY requantise', () => {
  const notes = {
    ...{ in1_rq: 1, in1_mul: 77, in1_add: 64, in1_shift: 7, in1_n_levels: 256 },
    ...{ in2_rq: 1, in2_mul: 200, in2_add: 64, in2_shift: 7, in2_n_levels: 256 },
    ...{ out_rq: 0, out_mul: 1, out_add: 0, out_shift: 0, out_n_levels: 256, add_bits: 8 },
  };
  const requantised = (v: number, mul: number, add: number, shift: number): number =>
    Math.min(255, Math.max(0, Math.floor((v * mul + add) / 2 ** shift)));

  it.each([
    ['operands', notes, (a: number, b: number) => requantised(a, 77, 64, 7) + requantised(b, 200, 64, 7)],
    [
      'the sum, too',
      { ...notes, out_rq: 1, out_mul: 3, out_add: 2, out_shift: 2 },
      (a: number, b: number) => requantised(requantised(a, 77, 64, 7) + requantised(b, 200, 64, 7), 3, 2, 2),
    ],
    ['one operand', { ...notes, in1_rq: 0 }, (a: number, b: number) => a + requantised(b, 200, 64, 7)],
  ])('%s', async (_, attributes, expected) => {
    const b = new OnnxBuilder(13, {});
    const x = b.fakeQuant(b.input('x', ['N', 2, 4]), 1, 0);
    const [first, second] = [0, 1].map((at) =>
      b.node('Slice', [x, b.ints(`from${at}`, [at]), b.ints(`to${at}`, [at + 1]), b.ints(`axis${at}`, [1])]),
    ) as [string, string];
    b.output(b.node('Add', [first, second], attributes));
    const values = [0, 3, 100, 255, 1, 4, 254, 255];
    const { output } = await compareWithOnnxruntime(b.bytes(), Float32Array.from(values));
    expect([...output]).toEqual([0, 1, 2, 3].map((i) => expected(values[i]!, values[i + 4]!)));
  });

  it.each([
    { in1_rq: 1, in1_mul: 99 },
    { ...notes, in1_zero: 3 },
  ])('with notes that aren’t all known are refused', (attributes) => {
    const b = new OnnxBuilder(13, {});
    const x = b.fakeQuant(b.input('x', ['N', 4]), 1, 0);
    b.output(b.node('Add', [x, x], attributes));
    expect(codes(refused(b.bytes()))).toContain('onnx/unsupported-form');
  });
});
