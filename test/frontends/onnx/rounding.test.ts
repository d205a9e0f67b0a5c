import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Attrs, Op } from '../../../src/network/types.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, randomInts, refused } from './harness.js';
import { codesEqual } from './spiking.js';

function model(dims: readonly number[], make: (b: OnnxBuilder) => string, opset = 13): Uint8Array {
  const builder = new OnnxBuilder(opset, {});
  builder.input('x', ['N', ...dims]);
  builder.output(make(builder));
  return builder.bytes();
}

let count = 0;
const constant = (b: OnnxBuilder, value: number): string => b.scalar(`c${count++}`, 'float', value);
const kinds = (ops: readonly Op[]): string[] => ops.map(({ kind }) => kind);

/** Each op against onnxruntime, and the SNN's read-out against it too. */
async function same(bytes: Uint8Array, images: Float32Array<ArrayBuffer>, steps = 8): Promise<readonly Op[]> {
  const { logits } = codesEqual(bytes, images, steps);
  const { shape } = imported(bytes).sourceInputs[0]!;
  const size = shape.reduce((a, b) => a * b, 1);
  const width = logits.length / (images.length / size);
  let ops: readonly Op[] = [];
  for (let n = 0; n * size < images.length; n++) {
    const { output, network } = await compareWithOnnxruntime(bytes, images.slice(size * n, size * (n + 1)));
    ({ ops } = network.network);
    for (let i = 0; i < width; i++) expect(logits[width * n + i]).toBeCloseTo(output[i]!, 4);
  }
  return ops;
}

describe('quantisers that are written out', () => {
  /** θ·clip(⌊L·x/θ + ½⌋/L, 0, 1) */
  function qcfs(b: OnnxBuilder, x: string, theta: number, levels: number): string {
    const lambda = constant(b, theta);
    const steps = constant(b, levels);
    const scaled = b.node('Mul', [b.node('Div', [x, lambda]), steps]);
    const floor = b.node('Floor', [b.node('Add', [scaled, constant(b, 0.5)])]);
    const held = b.node('Clip', [b.node('Div', [floor, steps]), constant(b, 0), constant(b, 1)]);
    return b.node('Mul', [held, lambda]);
  }

  it('QCFS is a quantiser with L levels that rounds halves up', async () => {
    const make = (b: OnnxBuilder): string => {
      const first = qcfs(b, 'x', 1.3, 8);
      const conv = b.node('Conv', [
        first,
        b.floats('w', [3, 2, 3, 3], randomFloats(1, 54)),
        b.floats('b', [3], [0.1, 0, -0.2]),
      ]);
      const hidden = b.node('Flatten', [qcfs(b, conv, 0.7, 4)]);
      return b.node('Gemm', [hidden, b.floats('v', [5, 12], randomFloats(2, 60))], { transB: 1 });
    };
    const ops = await same(model([2, 4, 4], make), randomFloats(3, 64, 1.5), 4);
    expect(kinds(ops)).toEqual(['input', 'quantize', 'conv', 'quantize', 'flatten', 'linear']);
    expect(ops[1]!.attrs).toMatchObject({ zero: 0, min: 0, max: 8, rounding: 'half_up' });
    expect((ops[1]!.attrs as Attrs)['scale']).toBeCloseTo(1.3 / 8, 7);
  });

  it('halves of QCFS go up', async () => {
    const bytes = model([9], (b) => qcfs(b, 'x', 2, 4));
    const halves = Float32Array.from({ length: 9 }, (_, i) => (i - 2) * 0.25);
    const { output } = await compareWithOnnxruntime(bytes, halves);
    expect([...output]).toEqual([0, 0, 0, 0.5, 0.5, 1, 1, 1.5, 1.5]);
    expect([...codesEqual(bytes, halves, 4).logits]).toEqual([...output]);
  });

  it('PyTorch’s decomposed fake quantise is a quantiser: x·(1/s), Round, Add, Clip, Sub, Mul', async () => {
    const fake = (b: OnnxBuilder, x: string, scale: number, zero: number): string => {
      const rounded = b.node('Round', [b.node('Mul', [x, constant(b, 1 / scale)])]);
      const held = b.node('Clip', [b.node('Add', [rounded, constant(b, zero)]), constant(b, 0), constant(b, 255)]);
      return b.node('Mul', [b.node('Sub', [held, constant(b, zero)]), constant(b, scale)]);
    };
    const bytes = model([6], (b) => {
      const w = b.floats('w', [4, 6], randomFloats(1, 24));
      const hidden = fake(b, b.node('Relu', [b.node('Gemm', [fake(b, 'x', 0.02, 117), w], { transB: 1 })]), 0.03, 0);
      return b.node('Gemm', [hidden, b.floats('v', [3, 4], randomFloats(2, 12))], { transB: 1 });
    });
    const ops = await same(bytes, randomFloats(5, 60, 2));
    expect(kinds(ops)).toEqual(['input', 'quantize', 'linear', 'relu', 'quantize', 'linear']);
    expect(ops[1]!.attrs).toEqual({ scale: Math.fround(0.02), zero: 0, min: -117, max: 138 });
  });

  it.each(['Floor', 'Ceil', 'Round'] as const)('integer requantisation: Mul, Add, Div, %s, Clip', async (rounding) => {
    const integers = (b: OnnxBuilder, name: string, dims: readonly number[], least: number, most: number): string =>
      b.floats(
        name,
        dims,
        randomInts(
          name.length + 9,
          dims.reduce((a, n) => a * n, 1),
          least,
          most,
        ),
      );
    const requantised = (b: OnnxBuilder, x: string, channels: number, shift: number, max: number): string => {
      const n = count++;
      const product = b.node('Mul', [x, integers(b, `mul${n}`, [1, channels, 1, 1], 20, 90)]);
      const sum = b.node('Add', [product, integers(b, `add${n}`, [1, channels, 1, 1], -900, 900)]);
      const down = b.node(rounding, [b.node('Div', [sum, constant(b, 2 ** shift)])]);
      return b.node('Clip', [down, constant(b, 0), constant(b, max)]);
    };
    const bytes = model([2, 5, 5], (b) => {
      const first = b.node('Clip', [b.node('Round', ['x']), constant(b, 0), constant(b, 15)]);
      const conv = b.node('Conv', [first, integers(b, 'w', [4, 2, 3, 3], -7, 7)], { pads: [1, 1, 1, 1] });
      const hidden = requantised(b, conv, 4, 9, 15);
      const second = requantised(b, b.node('Conv', [hidden, integers(b, 'v', [3, 4, 3, 3], -7, 7)]), 3, 8, 31);
      return b.node('Gemm', [b.node('Flatten', [second]), integers(b, 'u', [4, 27], -3, 3)], { transB: 1 });
    });
    const images = Float32Array.from(randomInts(7, 500, 0, 15));
    const ops = await same(bytes, images);
    const [, ...quantisers] = ops.filter(({ kind }) => kind === 'quantize');
    const name = { Floor: 'floor', Ceil: 'ceil', Round: undefined }[rounding];
    expect(quantisers.map(({ attrs }) => attrs)).toEqual(
      [15, 31].map((max) => ({ scale: 1, zero: 0, min: 0, max, ...(name === undefined ? {} : { rounding: name }) })),
    );
  });

  it('every multiple of the divisor is floored to itself', async () => {
    const bytes = model([33], (b) => {
      const x = b.node('Clip', [b.node('Round', ['x']), constant(b, -64), constant(b, 64)]);
      return b.node('Clip', [b.node('Floor', [b.node('Div', [x, constant(b, 4)])]), constant(b, -8), constant(b, 7)]);
    });
    await same(
      bytes,
      Float32Array.from({ length: 66 }, (_, i) => i - 33),
    );
  });

  it('without a Clip the codes are bounded by what is rounded', async () => {
    const bytes = model([4], (b) => {
      const x = b.fakeQuant('x', 0.5, 0, 'int8');
      const sum = b.node('Gemm', [x, b.floats('w', [2, 4], [1, -1, 0.5, 0.25, 1, 1, 1, 1])], { transB: 1 });
      return b.node('Mul', [b.node('Floor', [sum]), constant(b, 2)]);
    });
    const ops = await same(bytes, randomFloats(8, 40, 20), 10);
    expect(ops.at(-1)!.attrs).toMatchObject({ scale: 2, min: -256, max: 254 });
  });

  it('a rounding of unbounded values is refused, with what to do', () => {
    const diagnostics = refused(model([4], (b) => b.node('Relu', [b.node('Flatten', [b.node('Floor', ['x'])])])));
    expect(codes(diagnostics)).toEqual(['onnx/unsupported-form']);
    expect(diagnostics[0]!.help).toContain('put a Clip behind the rounding');
  });

  it('integers that are divided lose their fraction towards zero', async () => {
    const bytes = model([41], (b) => {
      const x = b.node('Clip', [b.node('Round', ['x']), constant(b, -20), constant(b, 20)]);
      const cast = b.node('Cast', [x], { to: 6 });
      const seven = b.constant('seven', { type: 'int32', dims: [], values: [7] });
      return b.node('Cast', [b.node('Div', [cast, seven])], { to: 1 });
    });
    const { output } = await compareWithOnnxruntime(
      bytes,
      Float32Array.from({ length: 41 }, (_, i) => i - 20),
    );
    expect([...output].map((v) => v + 0)).toEqual(Array.from({ length: 41 }, (_, i) => Math.trunc((i - 20) / 7) + 0));
  });

  it('constants are rounded and raised', async () => {
    const bytes = model([4], (b) => {
      const x = b.fakeQuant('x', 0.5, 0, 'int8');
      const power = b.node('Pow', [constant(b, 2), b.node('Floor', [constant(b, 3.7)])]);
      return b.node('Div', [b.node('Gemm', [x, b.floats('w', [2, 4], randomFloats(1, 8))], { transB: 1 }), power]);
    });
    await same(bytes, randomFloats(8, 40, 20));
  });
});

const folder = join(import.meta.dirname, '../../../../shared/cases/turn2');
const present = existsSync(folder);
if (!present) console.warn(`skipped: networks with written-out quantisers, ${folder} is absent`);

describe.skipIf(!present)('files of others', () => {
  it('a LeNet with QCFS imports as one whose quantisers have L levels', async () => {
    const bytes = readFileSync(join(folder, 'fidelity/qcfs/lenet5-qcfs.onnx'));
    const { network } = await compareWithOnnxruntime(bytes, randomFloats(4, 784));
    const quantisers = network.network.ops.filter(({ kind }) => kind === 'quantize');
    expect(quantisers).toHaveLength(4);
    for (const { attrs } of quantisers) expect(attrs).toMatchObject({ zero: 0, min: 0, rounding: 'half_up' });
  });

  it('pow_const converts', async () => {
    await same(readFileSync(join(folder, 'onnx/pow_const.onnx')), randomFloats(9, 80, 2));
  });
});
