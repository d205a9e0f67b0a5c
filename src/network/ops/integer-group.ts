import type { ProgramBuilder, Value } from '../../tensor/index.js';
import type { LoweredOp, LoweringContext, Precision } from './lowering.js';
import { lookedUp } from './table.js';
import { alongAxis } from './group.js';

/** How a softmax of integers divides: each power by their sum, the whole by their sum once, or so with the sum of groups in a row. */
export const softmaxForms = ['quotients', 'inverse', 'partial'] as const;

export type SoftmaxForm = (typeof softmaxForms)[number];

/** A softmax of integers: y = ⌊p·count/Σp⌋ and its like, of powers p by the distance from the greatest. */
export interface IntegerSoftmax {
  readonly axis: number;
  readonly form: SoftmaxForm;
  /** What all add up to at most. */
  readonly count: number;
  /** Of the form `partial`: values a group, and the power of two (a distance) that halves. */
  readonly width?: number | undefined;
}

/** A layer normalisation of integers, or without `centred` one by the root of mean squares. */
export interface IntegerNorm {
  readonly axis: number;
  readonly centred: boolean;
  readonly divisor: number;
}

/**
 * Softmax of integers, along an axis of [N, …]: with d = max x − x, p = powers(d) and S = Σ p it is ⌊p·count/S⌋ (`quotients`),
 * or ⌊⌊count·u/S⌋·p/u⌋ with u = powers(0) (`inverse`). `partial` has the S of one pass over groups: where a group raises the
 * maximum by r, the sum until then becomes ⌊S·powers(r)/u⌋. All of it is in double precision, in which these integers are exact.
 */
export function integerSoftmaxOf(
  lowering: LoweringContext,
  op: LoweredOp,
  x: Value,
  { axis, form, count, width = 1 }: IntegerSoftmax,
): Value {
  const { builder } = lowering;
  const whole = wholeOf(builder, x);
  const greatest = builder.reduceMax(whole, [axis], true);
  const powers = (distance: Value): Value => lookedUp(lowering, op, distance, 'f64');
  const power = powers(builder.sub(greatest, whole));
  if (form === 'quotients') {
    const share = builder.div(builder.mul(power, count), builder.sum(power, [axis], true));
    return builder.cast(builder.floor(share), dtypeOf(x));
  }
  const unit = powers(builder.sub(greatest, greatest));
  const total =
    form === 'partial' ? sumOfGroups(builder, whole, axis, width, powers) : builder.sum(power, [axis], true);
  const inverse = builder.floor(builder.div(builder.mul(unit, count), total));
  return builder.cast(builder.floor(builder.div(builder.mul(inverse, power), unit)), dtypeOf(x));
}

function sumOfGroups(
  builder: ProgramBuilder,
  x: Value,
  axis: number,
  width: number,
  powers: (distance: Value) => Value,
): Value {
  const size = x.shape[axis] as number;
  let most: Value | undefined;
  let total: Value | undefined;
  for (let start = 0; start < size; start += width) {
    const group = builder.sliceAxis(x, axis, start, Math.min(size, start + width));
    const own = builder.reduceMax(group, [axis], true);
    const next: Value = most === undefined ? own : builder.max(most, own);
    const sum = builder.sum(powers(builder.sub(next, group)), [axis], true);
    if (total === undefined || most === undefined) total = sum;
    else {
      const unit = powers(builder.sub(next, next));
      const kept = builder.div(builder.mul(total, powers(builder.sub(next, most))), unit);
      total = builder.add(builder.floor(kept), sum);
    }
    most = next;
  }
  return total!;
}

/**
 * Normalisation of integers, along an axis of [N, …]: ⌊(trunc(c·gamma/σ) + beta)/divisor⌋ with c = x − trunc(mean x) (x itself
 * where it isn't centred) and σ = ⌊√(⌊mean of c²⌋ + 1)⌋. In double precision, in which these integers are exact.
 */
export function integerNormOf(
  lowering: LoweringContext,
  op: LoweredOp<{ readonly axis: number }>,
  x: Value,
  { axis, centred, divisor }: IntegerNorm,
): Value {
  const { builder } = lowering;
  const whole = wholeOf(builder, x);
  const size = x.shape[axis] as number;
  const mean = (): Value => truncated(builder, builder.div(builder.sum(whole, [axis], true), size));
  const c = centred ? builder.sub(whole, mean()) : whole;
  const squares = builder.floor(builder.div(builder.sum(builder.mul(c, c), [axis], true), size));
  const deviation = builder.floor(builder.sqrt(builder.add(squares, 1)));
  const weight = (role: string): Value | undefined => alongAxis(lowering, op, role, 'f64');
  const scaled = builder.mul(c, weight('gamma')!);
  const normal = truncated(builder, builder.div(scaled, deviation));
  const beta = weight('beta');
  const moved = beta === undefined ? normal : builder.add(normal, beta);
  return builder.cast(builder.floor(builder.div(moved, divisor)), dtypeOf(x));
}

/** The integers that a value stands for, in double precision. */
function wholeOf(builder: ProgramBuilder, x: Value): Value {
  return builder.round(builder.cast(x, 'f64'));
}

function truncated(builder: ProgramBuilder, x: Value): Value {
  return builder.mul(builder.sign(x), builder.floor(builder.abs(x)));
}

function dtypeOf(x: Value): Precision {
  return x.dtype === 'f64' ? 'f64' : 'f32';
}
