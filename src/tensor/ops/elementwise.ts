import { roundHalfEven } from '../../base/rounding.js';
import { type DType, type Tensor, allocate } from '../../base/dtype.js';
import { broadcastData, wrap } from '../arrays.js';
import type { Value } from '../op-builder.js';
import { broadcastShapes } from '../dims.js';
import type { NoAttrs, SurrogateAttrs, ValueInfo } from '../types.js';
import {
  type GradContext,
  type GradientRule,
  type NoGradient,
  type OpDef,
  arithmetic,
  checkDtype,
  checkSame,
  floats,
  isFloat,
} from './def.js';
import { surrogateAttrs, surrogateGradient } from './surrogate.js';

type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;

function unary<A>(
  kind: string,
  doc: string,
  dtypes: readonly DType[],
  f: Unary,
  gradient: GradientRule<A> | NoGradient,
  attrs: OpDef<A>['attrs'] = [],
): OpDef<A> {
  return {
    arity: 1,
    attrs,
    doc,
    infer: ([x]) => {
      checkDtype(x!.dtype, dtypes, kind);
      return { dtype: x!.dtype, shape: x!.shape };
    },
    evaluate: ([x], { dtype, shape }) => {
      const out = allocate(dtype, x!.data.length);
      for (let i = 0; i < out.length; i++) out[i] = f(x!.data[i]!);
      return wrap(dtype, shape, out);
    },
    gradient,
  };
}

/** Applies `f` under broadcasting. */
function zip(a: Tensor, b: Tensor, dtype: DType, shape: readonly number[], f: Binary): Tensor {
  const x = broadcastData(a, shape);
  const y = broadcastData(b, shape);
  const out = allocate(dtype, x.length);
  for (let i = 0; i < out.length; i++) out[i] = f(x[i]!, y[i]!);
  return wrap(dtype, shape, out);
}

function binary(
  kind: string,
  doc: string,
  dtypes: readonly DType[],
  f: Binary,
  gradient: GradientRule<NoAttrs> | NoGradient,
  integer: Binary = f,
): OpDef {
  return {
    arity: 2,
    attrs: [],
    doc,
    infer: (inputs) => {
      const dtype = checkSame(inputs, kind);
      checkDtype(dtype, dtypes, kind);
      return { dtype, shape: broadcastShapes(inputs[0]!.shape, inputs[1]!.shape, kind) };
    },
    evaluate: ([a, b], { dtype, shape }) => zip(a!, b!, dtype, shape, dtype === 'i32' ? integer : f),
    gradient: typeof gradient === 'function' ? toOperands(gradient) : gradient,
  };
}

/** Sums what a rule gives in the result's shape back to the operands' shapes. */
function toOperands<A>(rule: GradientRule<A>): GradientRule<A> {
  return (context) =>
    rule(context).map((g, i) => (g === undefined ? undefined : context.b.sumTo(g, context.inputs[i]!.shape)));
}

function comparison(
  kind: string,
  doc: string,
  f: (a: number, b: number) => boolean,
  direction: number,
): OpDef<SurrogateAttrs> {
  return {
    arity: 2,
    attrs: surrogateAttrs,
    doc,
    infer: (inputs): ValueInfo => {
      checkSame(inputs, kind);
      return { dtype: 'bool', shape: broadcastShapes(inputs[0]!.shape, inputs[1]!.shape, kind) };
    },
    evaluate: ([a, b], { shape }) => zip(a!, b!, 'bool', shape, (x, y) => (f(x, y) ? 1 : 0)),
    gradient:
      direction === 0
        ? { none: 'equality is false almost everywhere' }
        : toOperands((context) => stepGradient(context, direction)),
  };
}

/** Gradient of the step a ≥ b (direction 1) or a ≤ b (−1): the surrogate at a − b, if it carries one. */
function stepGradient(
  { b, attrs, inputs, grad }: GradContext<SurrogateAttrs>,
  direction: number,
): (Value | undefined)[] {
  const [left, right] = [inputs[0]!, inputs[1]!];
  if (attrs.surrogate === undefined || !isFloat(left.dtype)) return [undefined, undefined];
  const slope = surrogateGradient(b, b.sub(left, right), attrs);
  const g = b.mul(b.cast(grad, left.dtype), slope);
  return direction > 0 ? [g, b.neg(g)] : [b.neg(g), g];
}

function logical(kind: string, doc: string, f: Binary, gradient: GradientRule<NoAttrs>): OpDef {
  return binary(kind, doc, ['bool'], f, gradient);
}

/** Gradient of a staircase with jumps of `height` where `toJump(x)` is zero. */
function staircase(
  height: number,
  toJump: (b: GradContext<SurrogateAttrs>['b'], x: Value) => Value,
): GradientRule<SurrogateAttrs> {
  return ({ b, attrs, inputs, grad }) => {
    const x = inputs[0]!;
    if (attrs.surrogate === undefined) return [undefined];
    if (attrs.surrogate === 'ste') return [b.mul(grad, surrogateGradient(b, x, attrs))];
    const slope = surrogateGradient(b, toJump(b, x), attrs);
    return [b.mul(grad, height === 1 ? slope : b.mul(slope, height))];
  };
}

/** 1 where a is chosen, ½ at ties, 0 elsewhere. */
function chosen(b: GradContext<NoAttrs>['b'], wins: Value, loses: Value, dtype: DType): Value {
  const won = b.cast(wins, dtype);
  const tie = b.cast(b.not(b.or(wins, loses)), dtype);
  return b.add(won, b.mul(tie, 0.5));
}

const extremumGradient =
  (better: 'gt' | 'lt'): GradientRule<NoAttrs> =>
  ({ b, inputs, grad }) => {
    const [x, y] = [inputs[0]!, inputs[1]!];
    const [first, second] = [b[better](x, y), b[better](y, x)];
    return [b.mul(grad, chosen(b, first, second, grad.dtype)), b.mul(grad, chosen(b, second, first, grad.dtype))];
  };

/** Math.min and Math.max propagate NaN, and so do ours. */
export const elementwise = {
  neg: unary<NoAttrs>(
    'neg',
    '−x',
    arithmetic,
    (x) => -x,
    ({ b, grad }) => [b.neg(grad)],
  ),
  abs: unary<NoAttrs>('abs', '|x|; gradient 0 at 0', arithmetic, Math.abs, ({ b, inputs, grad }) => [
    b.mul(grad, b.sign(inputs[0]!)),
  ]),
  sign: unary<SurrogateAttrs>(
    'sign',
    '−1, 0 or 1',
    arithmetic,
    Math.sign,
    staircase(2, (_, x) => x),
    surrogateAttrs,
  ),
  floor: unary<SurrogateAttrs>(
    'floor',
    'the largest integer ≤ x',
    floats,
    Math.floor,
    staircase(1, (b, x) => b.sub(x, b.round(x))),
    surrogateAttrs,
  ),
  round: unary<SurrogateAttrs>(
    'round',
    'the nearest integer, halves to even',
    floats,
    roundHalfEven,
    staircase(1, (b, x) => b.sub(b.sub(x, b.floor(x)), 0.5)),
    surrogateAttrs,
  ),
  exp: unary<NoAttrs>('exp', 'eˣ', floats, Math.exp, ({ b, out, grad }) => [b.mul(grad, out)]),
  log: unary<NoAttrs>('log', 'ln x', floats, Math.log, ({ b, inputs, grad }) => [b.div(grad, inputs[0]!)]),
  sqrt: unary<NoAttrs>('sqrt', '√x', floats, Math.sqrt, ({ b, out, grad }) => [b.div(grad, b.mul(out, 2))]),
  sigmoid: unary<NoAttrs>(
    'sigmoid',
    '1/(1+e⁻ˣ)',
    floats,
    (x) => 1 / (1 + Math.exp(-x)),
    ({ b, out, grad }) => [b.mul(grad, b.mul(out, b.sub(1, out)))],
  ),
  tanh: unary<NoAttrs>('tanh', 'tanh x', floats, Math.tanh, ({ b, out, grad }) => [
    b.mul(grad, b.sub(1, b.mul(out, out))),
  ]),
  atan: unary<NoAttrs>('atan', 'arctan x', floats, Math.atan, ({ b, inputs, grad }) => [
    b.div(grad, b.add(b.mul(inputs[0]!, inputs[0]!), 1)),
  ]),
  not: unary<NoAttrs>(
    'not',
    'logical not',
    ['bool'],
    (x) => 1 - x,
    ({ b, grad }) => [b.neg(grad)],
  ),

  add: binary(
    'add',
    'a + b',
    arithmetic,
    (a, b) => a + b,
    ({ grad }) => [grad, grad],
  ),
  sub: binary(
    'sub',
    'a − b',
    arithmetic,
    (a, b) => a - b,
    // Summed to the operand's shape before the sign: that is the smaller tensor.
    ({ b, inputs, grad }) => [grad, b.neg(b.sumTo(grad, inputs[1]!.shape))],
  ),
  mul: binary(
    'mul',
    'a · b',
    arithmetic,
    (a, b) => a * b,
    ({ b, inputs, grad }) => {
      const [x, y] = [inputs[0]!, inputs[1]!];
      // Of a square, twice at once: the gradient is often smaller than x.
      if (x.id === y.id) return [b.mul(b.mul(grad, 2), x), undefined];
      return [b.mul(grad, y), b.mul(grad, x)];
    },
    Math.imul,
  ),
  div: binary(
    'div',
    'a / b; i32 truncates towards zero',
    arithmetic,
    (a, b) => a / b,
    ({ b, inputs, out, grad }) => {
      const g = b.div(grad, inputs[1]!);
      return [g, b.neg(b.sumTo(b.mul(g, out), inputs[1]!.shape))];
    },
    (a, b) => Math.trunc(a / b),
  ),
  pow: binary('pow', 'aᵇ; the gradient to b needs a > 0', floats, Math.pow, ({ b, inputs, out, grad }) => {
    const [x, y] = [inputs[0]!, inputs[1]!];
    const byBase = b.mul(grad, b.mul(y, b.pow(x, b.sub(y, 1))));
    const safe = b.select(b.gt(x, 0), x, b.scalar(x.dtype, 1));
    return [byBase, b.mul(grad, b.mul(out, b.log(safe)))];
  }),
  min: binary('min', 'the smaller; gradient halved at ties', arithmetic, Math.min, extremumGradient('lt')),
  max: binary('max', 'the larger; gradient halved at ties', arithmetic, Math.max, extremumGradient('gt')),

  eq: comparison('eq', 'a = b', (a, b) => a === b, 0),
  ne: comparison('ne', 'a ≠ b', (a, b) => a !== b, 0),
  lt: comparison('lt', 'a < b', (a, b) => a < b, -1),
  le: comparison('le', 'a ≤ b', (a, b) => a <= b, -1),
  gt: comparison('gt', 'a > b', (a, b) => a > b, 1),
  ge: comparison('ge', 'a ≥ b', (a, b) => a >= b, 1),
  and: logical(
    'and',
    'logical and; its gradient is that of a·b',
    (a, b) => a & b,
    ({ b, inputs, grad }) => [b.mul(grad, b.cast(inputs[1]!, grad.dtype)), b.mul(grad, b.cast(inputs[0]!, grad.dtype))],
  ),
  or: logical(
    'or',
    'logical or; its gradient is that of a + b − a·b',
    (a, b) => a | b,
    ({ b, inputs, grad }) => [
      b.mul(grad, b.cast(b.not(inputs[1]!), grad.dtype)),
      b.mul(grad, b.cast(b.not(inputs[0]!), grad.dtype)),
    ],
  ),
} as const;

/** A value chosen per element; the gradient to a bool condition is that of c·a + (1−c)·b. */
export const select: OpDef = {
  arity: 3,
  attrs: [],
  doc: 'a where the condition holds, else b',
  infer: ([condition, a, b]) => {
    checkDtype(condition!.dtype, ['bool'], 'select: the condition');
    const dtype = checkSame([a!, b!], 'select');
    const shape = broadcastShapes(broadcastShapes(condition!.shape, a!.shape, 'select'), b!.shape, 'select');
    return { dtype, shape };
  },
  evaluate: ([condition, a, b], { dtype, shape }) => {
    const c = broadcastData(condition!, shape);
    const x = broadcastData(a!, shape);
    const y = broadcastData(b!, shape);
    const out = allocate(dtype, c.length);
    for (let i = 0; i < out.length; i++) out[i] = c[i] ? x[i]! : y[i]!;
    return wrap(dtype, shape, out);
  },
  gradient: toOperands(({ b, inputs, out, grad }) => {
    const [c, x, y] = [inputs[0]!, inputs[1]!, inputs[2]!];
    const zero = b.scalar(grad.dtype, 0);
    const branches = [b.select(c, grad, zero), b.select(c, zero, grad)];
    return [isFloat(out.dtype) ? b.mul(grad, b.sub(x, y)) : undefined, ...branches];
  }),
};

/** Numbers → int types saturate; to bool: ≠ 0. Fractions truncate towards zero. */
export const cast: OpDef<{ readonly to: DType }> = {
  arity: 1,
  attrs: ['to'],
  doc: 'conversion to `to`: fractions truncate, integers saturate, bool is ≠ 0',
  infer: ([x], { to }) => ({ dtype: to, shape: x!.shape }),
  evaluate: ([x], { dtype, shape }) => {
    const out = allocate(dtype, x!.data.length);
    const [lo, hi] = integerRange(dtype);
    for (let i = 0; i < out.length; i++) {
      const v = x!.data[i]!;
      if (dtype === 'bool') out[i] = v === 0 ? 0 : 1;
      else if (isFloat(dtype)) out[i] = v;
      else out[i] = Math.min(Math.max(Math.trunc(v), lo), hi);
    }
    return wrap(dtype, shape, out);
  },
  gradient: ({ b, inputs, out, grad }) => {
    const from = inputs[0]!.dtype;
    if (!isFloat(out.dtype)) return [undefined];
    if (from === 'bool') return [grad];
    return [isFloat(from) ? b.cast(grad, from) : undefined];
  },
};

/** The least and greatest value of an integer dtype. */
export function integerRange(dtype: DType): readonly [number, number] {
  switch (dtype) {
    case 'i8':
      return [-128, 127];
    case 'u8':
      return [0, 255];
    case 'i32':
      return [-2147483648, 2147483647];
    case 'bool':
      return [0, 1];
    case 'f32':
    case 'f64':
      return [-Infinity, Infinity];
  }
}

/** The same value without a gradient. */
export const detach: OpDef = {
  arity: 1,
  attrs: [],
  doc: 'x, cut from the gradient',
  infer: ([x]) => ({ dtype: x!.dtype, shape: x!.shape }),
  evaluate: ([x], { dtype, shape }) => wrap(dtype, shape, x!.data),
  gradient: { none: 'that is its purpose' },
};
