import { elementCount } from '../../../base/dtype.js';
import { type Constant, lazyConstant, reshapedConstant, smallConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { isFloatType } from '../element-type.js';
import { movedRounded } from '../rounded.js';
import { biasOver, plusDynamicBias, timesConstant } from './dynamic.js';
import {
  type DynamicValue,
  type PendingValue,
  type RealValue,
  type Value,
  inAxesOf,
  isDynamicBias,
  onGridOf,
  withBatchAt,
  withBatchFirst,
} from '../values.js';
import type { OnnxOpTable } from './define.js';
import { applied, negative } from './function.js';
import { checkAttributes, ofIntegers, quotient } from './integer-arithmetic.js';
import { inShape } from './layout.js';
import { type Operator, affine, checkComputed, checkFinite, expand, scalarOf } from './with-constant.js';

const compute: Readonly<Record<Operator | 'Pow', (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
};

/** Add, Sub, Mul, Div of two activations, with a constant, or on two constants. */
export const arithmeticOps: OnnxOpTable = {
  Add: { inputs: [2, 2], run: (c) => [arithmetic(c, 'Add')] },
  Sub: { inputs: [2, 2], run: (c) => [arithmetic(c, 'Sub')] },
  Mul: { inputs: [2, 2], run: (c) => [arithmetic(c, 'Mul')] },
  Div: { inputs: [2, 2], run: (c) => [arithmetic(c, 'Div')] },
  Pow: { inputs: [2, 2], run: (c) => [power(c)] },
  Sum: { inputs: [1, Infinity], run: (c) => [sumOfAll(c, 1)] },
  Mean: { inputs: [1, Infinity], run: (c) => [sumOfAll(c, 1 / c.node.inputs.length)] },
};

function arithmetic(context: NodeContext, operator: Operator): Value {
  checkAttributes(context);
  const [a, b] = [context.input(0), context.input(1)];
  if (a.kind === 'constant' && b.kind === 'constant') return foldedConstants(context, operator, a, b);
  const dynamic = operator === 'Mul' ? [a, b].find((value) => value.kind === 'dynamic') : undefined;
  if (dynamic !== undefined) return withDynamicScale(context, dynamic, a === dynamic ? b : a);
  if (operator === 'Div' && a.kind === 'constant' && b.kind === 'dynamic') return biasOver(context, a, b);
  if (operator === 'Add' && isDynamicBias(a)) return plusDynamicBias(context, b, a);
  if (operator === 'Add' && isDynamicBias(b)) return plusDynamicBias(context, a, b);
  if (a.kind === 'constant') return withConstant(context, operator, 1, a, true);
  if (b.kind === 'constant') return withConstant(context, operator, 0, b, false);
  return onActivations(context, operator);
}

/** The sum of any number of activations, times a factor. */
function sumOfAll(context: NodeContext, factor: number): Value {
  const count = context.node.inputs.length;
  if (count === 1) return context.input(0);
  if (count === 2 && factor === 1) return arithmetic(context, 'Add');
  let sum = context.realInAnyLayout(0);
  for (let i = 1; i < count; i++) {
    const isLast = i === count - 1 && factor === 1;
    sum = addition(
      context,
      sum,
      context.realInAnyLayout(i),
      isLast ? context.output : undefined,
      isLast ? undefined : 'sum',
    );
  }
  return factor === 1 ? sum : timesNumber(context, sum, factor, context.output);
}

/** x·factor. */
export function timesNumber(context: NodeContext, x: RealValue, factor: number, origin: string | undefined): RealValue {
  return affine(context, 'Mul', x, smallConstant('', 'double', [1], [factor]), false, origin);
}

/** xᶜ for a constant c; on two constants too. */
function power(context: NodeContext): Value {
  const [base, exponent] = [context.input(0), context.constant(1, 'the exponent')];
  if (base.kind === 'constant') return foldedConstants(context, 'Pow', base, exponent);
  const [alpha] = exponent.data();
  if (elementCount(exponent.shape) !== 1 || alpha === undefined || !Number.isFinite(alpha)) {
    context.badForm('its exponent is not one finite number');
  }
  return applied(context, 'pow', context.realInAnyLayout(0), { alpha });
}

/** Two activations: a − b is a + (−1)·b, a/b is a·(1/b). */
function onActivations(context: NodeContext, operator: Operator): RealValue {
  const [x, y] = [context.realInAnyLayout(0), context.realInAnyLayout(1)];
  switch (operator) {
    case 'Add':
      return addition(context, x, y, context.output);
    case 'Sub':
      return addition(context, x, negative(context, y, 'negative'), context.output);
    case 'Mul':
      return multiplication(context, x, y, context.output);
    case 'Div':
      return multiplication(context, x, inverse(context, y), context.output);
  }
}

/** 1/x; of a square root x^−½ of what that is of: one function of one value. */
function inverse(context: NodeContext, x: RealValue): RealValue {
  const root = context.graph.roots.get(x.op);
  if (root === undefined || x.grid !== undefined) return applied(context, 'reciprocal', x, {}, 'reciprocal');
  return applied(context, 'pow', { ...x, op: root }, { alpha: -0.5 }, 'reciprocal');
}

/** The product of two activations of one shape, or with one factor a channel: [N, C, H, W]·[N, C, 1, 1]. */
export function multiplication(
  context: NodeContext,
  left: RealValue,
  right: RealValue,
  origin: string | undefined,
): RealValue {
  /** A gate of one factor a channel. */
  const isGateOf = (gate: readonly number[], whole: readonly number[]): boolean =>
    gate.length === whole.length && gate[0] === whole[0] && gate.slice(1).every((n) => n === 1);
  const [x, y] = inOneLayout(context, left, right, isGateOf);
  const operands = isGateOf(context.shapeOf(y), context.shapeOf(x)) ? [x, y] : [y, x];
  const product = context.emit({ kind: 'mul', inputs: operands, origin });
  return inAxesOf(x, product);
}

/** The scale of a dynamic quantiser times that of weights, or integer products times both. */
function withDynamicScale(context: NodeContext, scale: DynamicValue, other: Value): Value {
  if (other.kind === 'constant') return timesConstant(context, scale, other);
  if (other.kind === 'pending' && other.integer && scale.what === 'scale')
    return other.finish({ factor: scale.factors, origin: context.output });
  return context.badForm(`it multiplies a dynamic ${scale.what} by something else than integer products or a constant`);
}

/** Two activations whose axes lie alike, as long as each other: axes of size 1 are repeated but where `keeps` wants them as they are. */
function inOneLayout(
  context: NodeContext,
  left: RealValue,
  right: RealValue,
  keeps: (narrow: readonly number[], wide: readonly number[]) => boolean,
): readonly [RealValue, RealValue] {
  const given = [left, right] as const;
  if ((left.perm ?? []).join() === (right.perm ?? []).join()) {
    const [x, y] = given.map((value) => context.shapeOf(value)) as [readonly number[], readonly number[]];
    if (x.join() === y.join() || keeps(x, y) || keeps(y, x)) return given;
  }
  const shapes = given.map((value) => context.onnxShape(value));
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const aligned = shapes.map((shape) => [...Array<number>(rank - shape.length).fill(1), ...shape]);
  const place = aligned.find((shape) => shape.some(Number.isNaN))?.findIndex(Number.isNaN) ?? -1;
  const full = aligned[0]!.map((n, axis) => {
    if (axis === place) return NaN;
    const [a, b] = [n, aligned[1]![axis]!].map((size) => (Number.isNaN(size) ? 1 : size)) as [number, number];
    if (a === b || b === 1) return a;
    if (a === 1) return b;
    const text = (i: number): string =>
      `"${context.node.inputs[i]}" is [${shapes[i]!.map((size) => (Number.isNaN(size) ? 'N' : size)).join(', ')}]`;
    return context.shapeMismatch(`its operands differ: ${text(0)}, ${text(1)}`);
  });
  const own = given.map((value, i) => {
    const target = aligned[i]!.map((n, axis) => (axis === place ? NaN : Number.isNaN(n) ? 1 : n));
    const moved = inShape(context, value, target, undefined);
    return { ...context.inOwnLayout(withBatchFirst(moved)) };
  });
  const sizes = full.filter((n) => !Number.isNaN(n));
  const wide = own.map((value) => {
    const shape = context.shapeOf(value);
    return keeps(shape, sizes) ? value : repeatedAlong(context, value, sizes);
  });
  return wide.map((value) => withBatchAt(value, sizes.length + 1, place)) as [RealValue, RealValue];
}

/** Axes of size 1 repeated, of a value whose axes are the op's. */
export function repeatedAlong(context: NodeContext, value: RealValue, shape: readonly number[]): RealValue {
  let result = value;
  for (const [axis, size] of shape.entries()) {
    const from = context.shapeOf(result);
    if (from[axis] === size) continue;
    const inner = elementCount(from.slice(axis + 1));
    const image = [elementCount(from.slice(0, axis)), 1, inner];
    const flat = context.emit({ kind: 'reshape', inputs: [result], attrs: { shape: image }, suffix: 'once' });
    const attrs = { rows: Array<number>(size).fill(0), columns: Array.from({ length: inner }, (_, i) => i) };
    const many = context.emit({ kind: 'resample', inputs: [flat], attrs, suffix: 'repeated' });
    const wide = { shape: [...from.with(axis, size)] };
    result = onGridOf(value, context.emit({ kind: 'reshape', inputs: [many], attrs: wide, suffix: 'wide' }));
  }
  return result;
}

/** The sum of two activations of one shape. */
export function addition(
  context: NodeContext,
  left: RealValue,
  right: RealValue,
  origin: string | undefined,
  suffix?: string,
): RealValue {
  const [x, y] = inOneLayout(context, left, right, () => false);
  const named = suffix === undefined ? {} : { suffix };
  const sum = context.emit({ kind: 'add', inputs: [x, y], origin, ...named });
  return inAxesOf(x, sum);
}

function withConstant(
  context: NodeContext,
  operator: Operator,
  index: number,
  constant: Constant,
  constantFirst: boolean,
): Value {
  const value = context.input(index);
  if (value.kind === 'pending') {
    const fused = fuse(context, operator, value, constant);
    if (fused !== undefined) return fused;
  }
  if (value.kind === 'rounded' && !(operator === 'Div' && constantFirst)) {
    if (value.integer && operator === 'Div') return quotient(context, constant);
    const scalar = scalarOf(operator, constant, constantFirst);
    const moved = scalar && movedRounded(value, scalar.scale, scalar.shift, context.output);
    if (moved !== undefined) return moved;
  }
  const x = context.realInAnyLayout(index);
  if (!isFloatType(constant.type)) return ofIntegers(context, operator, x, constant, constantFirst);
  if (operator === 'Div' && constantFirst) {
    return affine(context, 'Mul', inverse(context, x), constant, false, context.output);
  }
  return affine(context, operator, x, constant, constantFirst, context.output);
}

/** Into the linear op before it: a bias after MatMul, the scale of integer products. */
function fuse(context: NodeContext, operator: Operator, value: PendingValue, constant: Constant): Value | undefined {
  const count = elementCount(constant.shape);
  const outputs = value.shape[0]!;
  const perOutput = count === outputs && alignedTo(constant.shape, ['N', ...value.shape]);
  if (count !== 1 && !perOutput) return undefined;
  if (operator === 'Add' && !value.integer) {
    return value.finish({ bias: reshapedConstant(constant, count === 1 ? [1] : [outputs]), origin: context.output });
  }
  if (operator === 'Mul' && value.integer && isFloatType(constant.type)) {
    checkFinite(context, constant);
    return value.finish({ factor: Array.from(constant.data()), origin: context.output });
  }
  return undefined;
}

/** All of a shape's sizes are 1 but the one that meets the channel axis (axis 1) of `target`. */
function alignedTo(shape: readonly number[], target: readonly unknown[]): boolean {
  const offset = target.length - shape.length;
  return offset >= 0 && shape.every((n, i) => n === 1 || i + offset === 1);
}

function foldedConstants(context: NodeContext, operator: Operator | 'Pow', a: Constant, b: Constant): Constant {
  const rank = Math.max(a.shape.length, b.shape.length);
  const align = (shape: readonly number[]): number[] => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [from, other] = [align(a.shape), align(b.shape)];
  const shape = from.map((n, i) => (n === 1 ? other[i]! : n));
  const fits = shape.every((n, i) => (from[i] === 1 || from[i] === n) && (other[i] === 1 || other[i] === n));
  if (!fits) {
    context.shapeMismatch(`constants [${a.shape.join(', ')}] and [${b.shape.join(', ')}] don't fit together`);
  }
  checkComputed(context, shape, [a, b]);
  const type = a.quantised !== undefined || b.quantised !== undefined ? 'double' : a.type;
  const [left, right] = [expand(a, from, shape), expand(b, other, shape)];
  const truncates = operator === 'Div' && !isFloatType(type);
  return lazyConstant(context.output, type, shape, () => {
    const [x, y] = [left.data(), right.data()];
    const result = new Float64Array(x.length);
    for (let i = 0; i < result.length; i++) result[i] = compute[operator](x[i]!, y[i]!);
    if (truncates) return result.map(Math.trunc);
    return type === 'float' ? Float32Array.from(result) : result;
  });
}
