import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import {
  type PrimKind,
  type Program,
  ProgramBuilder,
  type SurrogateAttrs,
  type Value,
  autodiff,
  concreteShape,
  evaluate,
  ops,
  primKinds,
  verify,
} from '../../src/tensor/index.js';
import { type Case, cases, random } from './cases.js';

const discontinuous: readonly PrimKind[] = ['sign', 'floor', 'round', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not'];

/** Σ y·r for fixed random r: a loss that sees every element of y. */
function weigh(b: ProgramBuilder, y: Value): Value {
  const n = 2;
  const next = random(99);
  const shape = concreteShape(y.shape, n);
  const data = tensor(
    'f64',
    shape,
    Float64Array.from({ length: shape.reduce((a, c) => a * c, 1) }, () => next() - 0.5),
  );
  const r = b.input('r', 'f64', y.shape);
  weights.set(b, data);
  return b.sumAll(b.mul(y, r));
}
const weights = new WeakMap<ProgramBuilder, Tensor>();

/** Continuous values without ties; truth values for bools. */
function smoothFeeds(program: Program, n: number, r: Tensor): Record<string, Tensor> {
  const next = random(7);
  return Object.fromEntries(
    program.inputs.map(({ id, dtype, shape }) => {
      if (id === 'r') return [id, r];
      const sizes = concreteShape(shape, n);
      const values = Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () =>
        dtype === 'bool' ? Math.round(next()) : (next() * 2 - 1) * 2,
      );
      return [id, tensor(dtype, sizes, values)];
    }),
  );
}

/** The largest error of the gradients against central differences, relative to 1. */
function gradientError(program: Program, feeds: Record<string, Tensor>, wrt: readonly string[]): number {
  const { program: differentiated, unreached } = autodiff(program, program.outputs['loss']!, wrt);
  expect(verify(differentiated)).toEqual([]);
  expect(unreached).toEqual([]);
  const results = evaluate(differentiated, feeds);
  const h = 1e-5;
  let worst = 0;
  for (const id of wrt) {
    const original = feeds[id]!;
    for (let i = 0; i < original.data.length; i++) {
      const loss = (shift: number): number => {
        const moved = original.data.slice();
        moved[i]! += shift;
        return evaluate(program, { ...feeds, [id]: { ...original, data: moved } as Tensor })['loss']!.data[0]!;
      };
      const slope = (loss(h) - loss(-h)) / (2 * h);
      const error = Math.abs(slope - results[`grad.${id}`]!.data[i]!) / Math.max(1, Math.abs(slope));
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    }
  }
  return worst;
}

function differentiable(c: Case): boolean {
  if (typeof ops[c.kind].gradient !== 'function' || discontinuous.includes(c.kind)) return false;
  const b = new ProgramBuilder('probe');
  const y = c.make(b, 'f64');
  return y.dtype === 'f64';
}

describe('gradients', () => {
  const smooth = cases.filter((c) => (c.dtypes.includes('f32') || c.dtypes.includes('f64')) && differentiable(c));

  it('are tested for every primitive that has a continuous one', () => {
    const covered = new Set(smooth.map((c) => c.kind));
    const expected = primKinds.filter((k) => typeof ops[k].gradient === 'function' && !discontinuous.includes(k));
    expect(expected.filter((kind) => !covered.has(kind))).toEqual([]);
  });

  for (const c of smooth) {
    it(`${c.label}: equals central differences`, () => {
      const b = new ProgramBuilder(c.label);
      const y = c.make(b, 'f64');
      b.output('loss', weigh(b, y));
      const program = b.build();
      const feeds = smoothFeeds(program, 2, weights.get(b)!);
      const wrt = program.inputs.filter((x) => x.dtype === 'f64').map((x) => x.id);
      expect(gradientError(program, feeds, wrt)).toBeLessThan(1e-6);
    });
  }

  it('second derivatives of a convolution follow from the same rules', () => {
    const b = new ProgramBuilder('second');
    const x = b.input('x', 'f64', [2, 2, 5, 5]);
    const w = b.input('w', 'f64', [3, 2, 3, 3]);
    const y = b.conv2d(x, w, { stride: [2, 2], pads: [1, 1, 1, 1] });
    b.output('first', b.sumAll(b.mul(y, b.mul(y, y))));
    const { program, gradients } = autodiff(b.build(), b.build().outputs['first']!, ['x', 'w']);
    const again = new ProgramBuilder('again');
    again.include(program);
    const [gx, gw] = [again.value(gradients['x']!), again.value(gradients['w']!)];
    again.output('loss', again.add(again.sumAll(again.mul(gx, gx)), again.sumAll(again.mul(gw, gw))));
    const second = again.build();
    const feeds = smoothFeeds(second, 2, tensor('f64', [], [0]));
    expect(gradientError(second, feeds, ['x', 'w'])).toBeLessThan(1e-4);
  });

  it('several uses of a value add up, those of its time steps too', () => {
    const b = new ProgramBuilder('recurrent');
    const T = 4;
    const x = b.input('x', 'f64', [{ batch: T }, 3]);
    const tau = b.input('tau', 'f64', []);
    let u = b.mul(b.step(x, 0), 0);
    let loss: Value | undefined;
    for (let t = 0; t < T; t++) {
      u = b.add(b.mul(u, b.sigmoid(tau)), b.tanh(b.step(x, t)));
      if (t === 2) continue;
      const part = b.sumAll(b.mul(u, u));
      loss = loss === undefined ? part : b.add(loss, part);
    }
    b.output('loss', b.add(loss!, b.sumAll(b.mul(x, x))));
    const program = b.build();
    const feeds = smoothFeeds(program, 2, tensor('f64', [], [0]));
    expect(gradientError(program, feeds, ['x', 'tau'])).toBeLessThan(1e-7);
    const backward = autodiff(program, program.outputs['loss']!, ['x']).program.ops.map((op) => op.kind);
    // The steps' gradients are put side by side, not padded and added.
    expect(backward.filter((kind) => kind === 'concat')).toHaveLength(1);
    expect(backward).not.toContain('pad');
  });
});

/** dL/dx for y = f(x), L = Σ y. */
function slopeOf(f: (b: ProgramBuilder, x: Value) => Value, xs: readonly number[]): number[] | 'none' {
  const b = new ProgramBuilder('slope');
  const x = b.input('x', 'f64', [xs.length]);
  b.output('loss', b.sumAll(f(b, x)));
  const { program, unreached } = autodiff(b.build(), b.build().outputs['loss']!, ['x']);
  if (unreached.length > 0) return 'none';
  return [...evaluate(program, { x: tensor('f64', [xs.length], xs) })['grad.x']!.data];
}

const step =
  (surrogate: SurrogateAttrs, threshold = 0) =>
  (b: ProgramBuilder, x: Value) =>
    b.cast(b.ge(x, threshold, surrogate), 'f64');

describe('surrogate gradients', () => {
  const grid = Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 500);
  const normalised: readonly SurrogateAttrs[] = [
    { surrogate: 'rectangle', surrogate_width: 1.5 },
    { surrogate: 'triangle', surrogate_width: 0.5 },
    { surrogate: 'sigmoid', surrogate_slope: 3 },
    { surrogate: 'atan', surrogate_alpha: 2 },
  ];
  for (const attrs of normalised) {
    it(`${attrs.surrogate} integrates to the height of the step`, () => {
      const slope = slopeOf(step(attrs), grid) as number[];
      const integral = slope.reduce((a, b) => a + b) / 500;
      expect(integral).toBeCloseTo(1, attrs.surrogate === 'atan' ? 1 : 2);
    });
  }

  it('rectangle(1) is 1 within half a unit of the threshold', () => {
    expect(slopeOf(step({ surrogate: 'rectangle' }, 1), [0.4, 0.6, 1, 1.4, 1.6])).toEqual([0, 1, 1, 1, 0]);
  });
  it('triangle(1) falls off linearly', () => {
    expect(slopeOf(step({ surrogate: 'triangle' }), [-1, -0.5, 0, 0.25, 2])).toEqual([0, 0.5, 1, 0.75, 0]);
  });
  it('fast_sigmoid is 1/(1 + k|v|)²', () => {
    expect(slopeOf(step({ surrogate: 'fast_sigmoid', surrogate_slope: 1 }), [0, 1, -3])).toEqual([1, 0.25, 1 / 16]);
  });
  it('atan is α/2 / (1 + (πα v/2)²)', () => {
    const [at0, at1] = slopeOf(step({ surrogate: 'atan', surrogate_alpha: 2 }), [0, 1]) as number[];
    expect(at0).toBe(1);
    expect(at1).toBeCloseTo(1 / (1 + Math.PI ** 2), 12);
  });
  it('ste(lo, hi) is 1 inside the range, its ends included', () => {
    const ste = { surrogate: 'ste', surrogate_lo: 0, surrogate_hi: 2 };
    expect(slopeOf((b, x) => b.round(x, ste), [-0.1, 0, 1.3, 2, 2.1])).toEqual([0, 1, 1, 1, 0]);
    expect(slopeOf((b, x) => b.floor(x, { surrogate: 'ste' }), [-9, 0.5])).toEqual([1, 1]);
  });
  it('a step the other way has the opposite sign, and the threshold gets the opposite gradient', () => {
    const triangle = { surrogate: 'triangle' };
    expect(slopeOf((b, x) => b.cast(b.lt(x, 1, triangle), 'f64'), [0.5])).toEqual([-0.5]);
    expect(slopeOf((b, x) => b.cast(b.gt(1, x, triangle), 'f64'), [0.5])).toEqual([-0.5]);
  });
  it('a staircase has the surrogate at every level', () => {
    const narrow = { surrogate: 'rectangle', surrogate_width: 0.5 };
    expect(slopeOf((b, x) => b.floor(x, narrow), [0.5, 0.9, 1.1, 3.01])).toEqual([0, 2, 2, 2]);
    expect(slopeOf((b, x) => b.round(x, narrow), [0.5, 0.9, 1.4, 2.6])).toEqual([2, 0, 2, 2]);
    expect(slopeOf((b, x) => b.sign(x, narrow), [0.1, 1])).toEqual([4, 0]);
  });
  it('a step without a surrogate passes no gradient', () => {
    expect(slopeOf(step({}), [0])).toBe('none');
    expect(slopeOf((b, x) => b.round(x), [0])).toBe('none');
  });
  it('passes through logic and select', () => {
    const triangle = { surrogate: 'triangle' };
    const inside = (b: ProgramBuilder, x: Value) => b.and(b.ge(x, 0, triangle), b.not(b.ge(x, 4, triangle)));
    expect(slopeOf((b, x) => b.cast(inside(b, x), 'f64'), [0.5, 3.5])).toEqual([0.5, -0.5]);
    expect(slopeOf((b, x) => b.select(b.ge(x, 0, triangle), b.scalar('f64', 5), 2), [0.5])).toEqual([1.5]);
  });
  it('a detached value passes nothing', () => {
    expect(slopeOf((b, x) => b.mul(x, b.detach(x)), [3])).toEqual([3]);
    expect(slopeOf((b, x) => b.detach(x), [3])).toBe('none');
  });
  it('an unknown surrogate is misuse', () => {
    expect(() => slopeOf(step({ surrogate: 'bump' }), [0])).toThrow(TypeError);
  });
});

describe('autodiff', () => {
  it('needs a scalar float loss', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [3]);
    b.output('y', b.as('y').neg(x));
    expect(() => autodiff(b.build(), 'y', ['x'])).toThrow(/float scalar/);
  });

  it('keeps the forward outputs and names gradient ops after the op they come from', () => {
    const b = new ProgramBuilder('p');
    const x = b.input('x', 'f32', [3]);
    b.output('loss', b.at('head').sumAll(b.tanh(x)));
    const { program, gradients } = autodiff(b.build(), b.build().outputs['loss']!, ['x']);
    expect(Object.keys(program.outputs)).toEqual(['loss', 'grad.x']);
    expect(gradients['x']).toMatch(/^head\.grad\./);
  });
});
