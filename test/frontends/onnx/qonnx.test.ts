import { describe, expect, it } from 'vitest';
import { evaluateAnn, paramReals } from '../../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../../src/testing/onnx-builder.js';
import { compareWithOnnxruntime, imported } from './harness.js';
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
