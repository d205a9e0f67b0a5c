import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { ProgramBuilder, type Value, evaluate, lastUses } from '../../src/tensor/index.js';
import { processorTime } from '../support/processor-time.js';
import { random, randomTensor } from './cases.js';

function run(make: (b: ProgramBuilder) => Value, inputs: Record<string, ReturnType<typeof randomTensor>> = {}) {
  const b = new ProgramBuilder('p');
  b.output('y', make(b));
  return evaluate(b.build(), inputs)['y']!;
}

/** A convolution with one loop per index, straight from its definition. */
function bruteForceConv(
  x: ReturnType<typeof randomTensor>,
  w: ReturnType<typeof randomTensor>,
  stride: readonly number[],
  pads: readonly number[],
  dilation: readonly number[],
  groups: number,
): number[] {
  const [n, , h, width] = x.shape as [number, number, number, number];
  const [o, i, kh, kw] = w.shape as [number, number, number, number];
  const oh = Math.floor((h + pads[0]! + pads[2]! - dilation[0]! * (kh - 1) - 1) / stride[0]!) + 1;
  const ow = Math.floor((width + pads[1]! + pads[3]! - dilation[1]! * (kw - 1) - 1) / stride[1]!) + 1;
  const at = (b: number, c: number, y: number, z: number): number =>
    y < 0 || y >= h || z < 0 || z >= width ? 0 : x.data[((b * i * groups + c) * h + y) * width + z]!;
  const out: number[] = [];
  for (let b = 0; b < n; b++)
    for (let f = 0; f < o; f++)
      for (let y = 0; y < oh; y++)
        for (let z = 0; z < ow; z++) {
          let total = 0;
          const group = Math.floor(f / (o / groups));
          for (let c = 0; c < i; c++)
            for (let p = 0; p < kh; p++)
              for (let q = 0; q < kw; q++)
                total +=
                  w.data[((f * i + c) * kh + p) * kw + q]! *
                  at(
                    b,
                    group * i + c,
                    y * stride[0]! + p * dilation[0]! - pads[0]!,
                    z * stride[1]! + q * dilation[1]! - pads[1]!,
                  );
          out.push(total);
        }
  return out;
}

describe('the reference evaluator', () => {
  it('convolves as the definition says, for any window', () => {
    const small = fc.integer({ min: 1, max: 3 });
    const pad = fc.integer({ min: 0, max: 2 });
    fc.assert(
      fc.property(
        fc.record({
          n: small,
          groups: fc.integer({ min: 1, max: 2 }),
          i: small,
          perGroup: small,
          k: fc.tuple(small, small),
          stride: fc.tuple(small, small),
          dilation: fc.tuple(small, small),
          pads: fc.tuple(pad, pad, pad, pad),
          seed: fc.integer(),
        }),
        ({ n, groups, i, perGroup, k, stride, dilation, pads, seed }) => {
          const next = random(seed);
          const x = randomTensor('f64', [n, i * groups, 8, 9], next);
          const w = randomTensor('f64', [perGroup * groups, i, ...k], next);
          const y = run((b) => b.conv2d(b.constant(x), b.constant(w), { stride, pads, dilation, groups }));
          const expected = bruteForceConv(x, w, stride, pads, dilation, groups);
          expect(y.data.length).toBe(expected.length);
          expected.forEach((v, at) => expect(y.data[at]).toBeCloseTo(v, 10));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('the input and weight gradients of a convolution are its adjoints: ⟨g, conv(x,w)⟩ = ⟨x, ·⟩ = ⟨w, ·⟩', () => {
    const next = random(3);
    const window = { stride: [2, 1], pads: [1, 0, 2, 1], dilation: [1, 2], groups: 2 };
    const [x, w] = [randomTensor('f64', [2, 4, 7, 8], next), randomTensor('f64', [6, 2, 3, 2], next)];
    const y = run((b) => b.conv2d(b.constant(x), b.constant(w), window));
    const g = randomTensor('f64', y.shape, next);
    const gx = run((b) => b.conv2dInputGrad(b.constant(w), b.constant(g), { ...window, input: [7, 8] }));
    const gw = run((b) => b.conv2dWeightGrad(b.constant(x), b.constant(g), { ...window, kernel: [3, 2] }));
    const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((s, v, i) => s + v * b[i]!, 0);
    expect(dot(x.data, gx.data)).toBeCloseTo(dot(g.data, y.data), 9);
    expect(dot(w.data, gw.data)).toBeCloseTo(dot(g.data, y.data), 9);
  });

  it('multiplies matrices as the definition says', () => {
    const next = random(4);
    const [a, c] = [randomTensor('f64', [2, 3, 4], next), randomTensor('f64', [2, 5, 4], next)];
    const y = run((b) => b.matmul(b.constant(a), b.constant(c), { transB: true }));
    for (let s = 0; s < 2; s++)
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 5; j++) {
          let total = 0;
          for (let k = 0; k < 4; k++) total += a.data[(s * 3 + i) * 4 + k]! * c.data[(s * 5 + j) * 4 + k]!;
          expect(y.data[(s * 3 + i) * 5 + j]).toBeCloseTo(total, 12);
        }
  });

  it('rounds halves to even', () => {
    const x = tensor('f64', [8], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999, 1e15 + 0.5]);
    expect([...run((b) => b.round(b.constant(x))).data].map((v) => v + 0)).toEqual([-2, -2, 0, 0, 2, 2, 2, 1e15]);
  });

  it('rounds every result to its dtype, unless asked for exact arithmetic', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', []);
    b.output('y', b.sub(b.add(x, 1e-9), x));
    const feeds = { x: tensor('f32', [], [1]) };
    expect(evaluate(b.build(), feeds)['y']!.data[0]).toBe(0);
    const exact = evaluate(b.build(), feeds, { precision: 'f64' })['y']!;
    expect(exact.dtype).toBe('f64');
    expect(exact.data[0]).toBeCloseTo(1e-9, 15);
  });

  it('wraps and truncates i32 as integers do', () => {
    const i = (v: number) => tensor('i32', [], [v]);
    expect(run((b) => b.mul(b.constant(i(65_537)), b.constant(i(65_537)))).data[0]).toBe(131_073);
    expect(run((b) => b.div(b.constant(i(-7)), b.constant(i(2)))).data[0]).toBe(-3);
  });

  it('casts saturate integers, truncate fractions and make truth values of what is not zero', () => {
    const x = tensor('f64', [5], [-300, -1.9, 0, 0.4, 300]);
    expect([...run((b) => b.cast(b.constant(x), 'i8')).data]).toEqual([-128, -1, 0, 0, 127]);
    expect([...run((b) => b.cast(b.constant(x), 'u8')).data]).toEqual([0, 0, 0, 0, 255]);
    expect([...run((b) => b.cast(b.constant(x), 'bool')).data]).toEqual([1, 1, 0, 1, 1]);
  });

  it('slices, pads and joins time in whole steps of N rows', () => {
    const N = { batch: 1 };
    const b = new ProgramBuilder('time');
    const x = b.input('x', 'f32', [{ batch: 3 }]);
    b.output('step', b.step(x, 1));
    b.output('odd', b.sliceAxis(x, 0, 0, 3, 2));
    b.output('delayed', b.pad(x, [1], [0], -1));
    b.output('joined', b.concat([b.step(x, 2), b.step(x, 0)], 0));
    b.output('sum', b.sum(b.reshape(x, [3, N]), [0]));
    const r = evaluate(b.build(), { x: tensor('f32', [6], [1, 2, 3, 4, 5, 6]) });
    expect(Object.fromEntries(Object.entries(r).map(([k, v]) => [k, [...v.data]]))).toEqual({
      step: [3, 4],
      odd: [1, 2, 5, 6],
      delayed: [-1, -1, 1, 2, 3, 4, 5, 6],
      joined: [5, 6, 1, 2],
      sum: [9, 12],
    });
  });

  it('knows the batch size', () => {
    const b = new ProgramBuilder('n');
    b.input('x', 'f32', [{ batch: 4 }, 2]);
    b.output('n', b.batchSize('f32'));
    expect(evaluate(b.build(), { x: tensor('f32', [12, 2], new Float32Array(24)) })['n']!.data[0]).toBe(3);
  });

  it('shows every value as it is computed, and refuses feeds that do not fit', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [{ batch: 1 }, 2]);
    b.output('y', b.as('y').exp(b.as('minus').neg(x)));
    const seen: string[] = [];
    evaluate(b.build(), { x: tensor('f32', [1, 2], [0, 1]) }, { onValue: (id) => seen.push(id) });
    expect(seen).toEqual(['minus', 'y']);
    expect(() => evaluate(b.build(), {})).toThrow(TypeError);
    expect(() => evaluate(b.build(), { x: tensor('f32', [1, 3], [0, 1, 2]) })).toThrow(/f32\[N,2\]/);
  });

  it('computes ResNet-20 on one image (41 M multiplications) in well under a second', () => {
    const next = random(8);
    const b = new ProgramBuilder('resnet');
    let v = b.input('x', 'f32', [{ batch: 1 }, 16, 32, 32]);
    for (let i = 0; i < 17; i++) {
      v = b.conv2d(v, b.constant(randomTensor('f32', [16, 16, 3, 3], next)), { pads: [1, 1, 1, 1] });
      v = b.mul(v, 0.05);
    }
    b.output('y', v);
    const feeds = { x: randomTensor('f32', [1, 16, 32, 32], next) };
    // Measured 0.15 s; the bound leaves room for a slow machine.
    expect(processorTime(() => evaluate(b.build(), feeds))).toBeLessThan(3000);
  });
});

describe('last uses', () => {
  it('name each value once, where nothing later reads it, and never an output', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [2]);
    const y = b.as('y').neg(x);
    const z = b.as('z').add(y, x);
    b.as('unused').exp(y);
    b.output('z', z);
    expect(lastUses(b.build())).toEqual([[], ['x'], ['y', 'unused']]);
  });
});
