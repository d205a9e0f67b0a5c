import type { DType, Tensor } from '../base/dtype.js';
import { ShapeError, isBatch, sameShape, units } from './dims.js';
import type { ConvAttrs, Dim, PoolAttrs, PrimAttrs, PrimKind, SurrogateAttrs, ValueInfo } from './types.js';

/** A value of the program being built. */
export interface Value extends ValueInfo {
  readonly id: string;
}

/** An operand: a value, or a number, which becomes a scalar of the other operand's dtype. */
export type Operand = Value | number;

/**
 * Ops, each by a method that knows its attributes: what gradients and equations are written with. Knows no program and no
 * table of primitives: {@link ProgramBuilder} does.
 */
export abstract class OpBuilder {
  /** Any primitive, by kind. */
  abstract op<K extends PrimKind>(kind: K, inputs: readonly Value[], attrs: PrimAttrs[K]): Value;

  /** The same builder, whose next op is called `name`. */
  abstract as(name: string): OpBuilder;

  // -- values ------------------------------------------------------------------------------

  constant(value: Tensor): Value {
    return this.op('const', [], { value });
  }

  /** A constant without axes; equal ones are shared. */
  abstract scalar(dtype: DType, value: number): Value;

  /** `x` itself where it has that dtype. */
  cast(x: Value, to: DType): Value {
    return x.dtype === to ? x : this.op('cast', [x], { to });
  }

  detach(x: Value): Value {
    return this.op('detach', [x], {});
  }

  // -- element-wise ------------------------------------------------------------------------

  neg(x: Value): Value {
    return this.op('neg', [x], {});
  }
  abs(x: Value): Value {
    return this.op('abs', [x], {});
  }
  sign(x: Value, surrogate: SurrogateAttrs = {}): Value {
    return this.op('sign', [x], surrogate);
  }
  floor(x: Value, surrogate: SurrogateAttrs = {}): Value {
    return this.op('floor', [x], surrogate);
  }
  round(x: Value, surrogate: SurrogateAttrs = {}): Value {
    return this.op('round', [x], surrogate);
  }
  exp(x: Value): Value {
    return this.op('exp', [x], {});
  }
  log(x: Value): Value {
    return this.op('log', [x], {});
  }
  sqrt(x: Value): Value {
    return this.op('sqrt', [x], {});
  }
  sigmoid(x: Value): Value {
    return this.op('sigmoid', [x], {});
  }
  tanh(x: Value): Value {
    return this.op('tanh', [x], {});
  }
  atan(x: Value): Value {
    return this.op('atan', [x], {});
  }
  not(x: Value): Value {
    return this.op('not', [x], {});
  }
  add(a: Operand, b: Operand): Value {
    return this.op('add', this.#pair(a, b), {});
  }
  sub(a: Operand, b: Operand): Value {
    return this.op('sub', this.#pair(a, b), {});
  }
  mul(a: Operand, b: Operand): Value {
    return this.op('mul', this.#pair(a, b), {});
  }
  div(a: Operand, b: Operand): Value {
    return this.op('div', this.#pair(a, b), {});
  }
  pow(a: Operand, b: Operand): Value {
    return this.op('pow', this.#pair(a, b), {});
  }
  min(a: Operand, b: Operand): Value {
    return this.op('min', this.#pair(a, b), {});
  }
  max(a: Operand, b: Operand): Value {
    return this.op('max', this.#pair(a, b), {});
  }
  eq(a: Operand, b: Operand): Value {
    return this.op('eq', this.#pair(a, b), {});
  }
  ne(a: Operand, b: Operand): Value {
    return this.op('ne', this.#pair(a, b), {});
  }
  lt(a: Operand, b: Operand, surrogate: SurrogateAttrs = {}): Value {
    return this.op('lt', this.#pair(a, b), surrogate);
  }
  le(a: Operand, b: Operand, surrogate: SurrogateAttrs = {}): Value {
    return this.op('le', this.#pair(a, b), surrogate);
  }
  gt(a: Operand, b: Operand, surrogate: SurrogateAttrs = {}): Value {
    return this.op('gt', this.#pair(a, b), surrogate);
  }
  ge(a: Operand, b: Operand, surrogate: SurrogateAttrs = {}): Value {
    return this.op('ge', this.#pair(a, b), surrogate);
  }
  and(a: Value, b: Value): Value {
    return this.op('and', [a, b], {});
  }
  or(a: Value, b: Value): Value {
    return this.op('or', [a, b], {});
  }
  /** a where the condition holds, else b. */
  select(condition: Value, a: Operand, b: Operand): Value {
    return this.op('select', [condition, ...this.#pair(a, b)], {});
  }
  /** min(max(x, lo), hi). */
  clip(x: Value, lo: number, hi: number): Value {
    if (hi === Infinity) return lo === -Infinity ? x : this.max(x, lo);
    const hint = this.takeHint();
    return this.last(hint).min(lo === -Infinity ? x : this.max(x, lo), hi);
  }

  // -- reductions --------------------------------------------------------------------------

  sum(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.op('sum', [x], { axes: positive(axes, x), keepdims });
  }
  sumAll(x: Value): Value {
    return this.sum(
      x,
      x.shape.map((_, i) => i),
    );
  }
  /** The mean over axes none of which is the batch axis. */
  mean(x: Value, axes: readonly number[], keepdims = false): Value {
    const all = positive(axes, x);
    if (all.some((axis) => isBatch(x.shape[axis]!))) throw new ShapeError('mean: not over the batch axis');
    const count = all.reduce((product, axis) => product * units(x.shape[axis]!), 1);
    const hint = this.takeHint();
    const total = this.sum(x, all, keepdims);
    return this.last(hint).mul(total, 1 / count);
  }
  reduceMax(x: Value, axes: readonly number[], keepdims = false): Value {
    return this.op('reduce_max', [x], { axes: positive(axes, x), keepdims });
  }
  argmax(x: Value, axis: number): Value {
    return this.op('argmax', [x], { axis: positive([axis], x)[0]! });
  }
  /** Sums a broadcast value back to `shape`. */
  sumTo(x: Value, shape: readonly Dim[]): Value {
    if (sameShape(x.shape, shape)) return x;
    const lead = x.shape.length - shape.length;
    const axes = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
    return this.reshape(axes.length === 0 ? x : this.sum(x, axes), shape);
  }
  /** The run's batch size N as a scalar. */
  batchSize(dtype: 'f32' | 'f64'): Value {
    return this.sum(this.broadcast(this.scalar(dtype, 1), [{ batch: 1 }]), [0]);
  }

  // -- data movement -----------------------------------------------------------------------

  /** `x` itself where it has that shape. */
  reshape(x: Value, shape: readonly Dim[]): Value {
    return sameShape(x.shape, shape) ? x : this.op('reshape', [x], { shape });
  }
  transpose(x: Value, perm: readonly number[]): Value {
    return perm.every((axis, i) => axis === i) ? x : this.op('transpose', [x], { perm });
  }
  /** Per axis; on a batch axis in units of N. */
  slice(x: Value, starts: readonly number[], ends: readonly number[], steps?: readonly number[]): Value {
    const whole = x.shape.every((dim, i) => starts[i] === 0 && ends[i] === units(dim) && (steps?.[i] ?? 1) === 1);
    if (whole && starts.length === x.shape.length) return x;
    return this.op('slice', [x], { starts, ends, steps: steps ?? x.shape.map(() => 1) });
  }
  /** Along one axis, the others whole. */
  sliceAxis(x: Value, axis: number, start: number, end: number, step = 1): Value {
    const at = positive([axis], x)[0]!;
    return this.slice(
      x,
      x.shape.map((_, i) => (i === at ? start : 0)),
      x.shape.map((dim, i) => (i === at ? end : units(dim))),
      x.shape.map((_, i) => (i === at ? step : 1)),
    );
  }
  /** Time step t (from 0) of a train [TN, …]. */
  step(x: Value, t: number): Value {
    return this.sliceAxis(x, 0, t, t + 1);
  }
  pad(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
    const nothing = [...before, ...after].every((count) => count === 0) && before.length === x.shape.length;
    return nothing ? x : this.op('pad', [x], { before, after, value });
  }
  /** Puts `step − 1` zeros after every value along an axis. */
  dilate(x: Value, axis: number, step: number): Value {
    const size = x.shape[axis]!;
    const split: Dim[] = isBatch(size) ? [size.batch, 1, { batch: 1 }] : [size, 1];
    const shape = [...x.shape.slice(0, axis), ...split, ...x.shape.slice(axis + 1)];
    const after = shape.map((_, i) => (i === axis + 1 ? step - 1 : 0));
    const padded = this.pad(
      this.reshape(x, shape),
      shape.map(() => 0),
      after,
    );
    const merged: Dim = isBatch(size) ? { batch: size.batch * step } : size * step;
    return this.reshape(padded, [...x.shape.slice(0, axis), merged, ...x.shape.slice(axis + 1)]);
  }
  concat(values: readonly Value[], axis: number): Value {
    if (values.length === 0) throw new ShapeError('concat: of nothing');
    return values.length === 1 ? values[0]! : this.op('concat', values, { axis: positive([axis], values[0]!)[0]! });
  }
  broadcast(x: Value, shape: readonly Dim[]): Value {
    return sameShape(x.shape, shape) ? x : this.op('broadcast', [x], { shape });
  }

  // -- linear algebra and windows ----------------------------------------------------------

  matmul(a: Value, b: Value, attrs: Partial<PrimAttrs['matmul']> = {}): Value {
    return this.op('matmul', [a, b], { transA: false, transB: false, ...attrs });
  }
  conv2d(x: Value, weight: Value, attrs: Partial<ConvAttrs> = {}): Value {
    return this.op('conv2d', [x, weight], { ...plainWindow, ...attrs });
  }
  conv2dInputGrad(weight: Value, grad: Value, attrs: PrimAttrs['conv2d_input_grad']): Value {
    return this.op('conv2d_input_grad', [weight, grad], attrs);
  }
  conv2dWeightGrad(x: Value, grad: Value, attrs: PrimAttrs['conv2d_weight_grad']): Value {
    return this.op('conv2d_weight_grad', [x, grad], attrs);
  }
  maxpool(x: Value, attrs: PoolOptions): Value {
    return this.op('maxpool', [x], poolWindow(attrs));
  }
  maxpoolGrad(x: Value, grad: Value, attrs: PoolOptions): Value {
    return this.op('maxpool_grad', [x, grad], poolWindow(attrs));
  }
  avgpool(x: Value, attrs: PoolOptions & { readonly include_pad?: boolean }): Value {
    return this.op('avgpool', [x], { ...poolWindow(attrs), include_pad: attrs.include_pad ?? true });
  }

  /** values[#{t ≤ x}] of ascending `thresholds` [m] and `values` [m + 1]: any piecewise constant function. */
  lookup(x: Value, thresholds: Value, values: Value): Value {
    return this.op('lookup', [x, thresholds, values], {});
  }

  // -- inside ------------------------------------------------------------------------------

  /** The name given by `as`, for one op only. */
  protected abstract takeHint(): string | undefined;

  /** A builder for the last of several ops that make one method: it gets the name. */
  protected last(hint: string | undefined): OpBuilder {
    return hint === undefined ? this : this.as(hint);
  }

  #pair(a: Operand, b: Operand): [Value, Value] {
    if (typeof a === 'number') {
      if (typeof b === 'number') throw new TypeError('at least one operand must be a value');
      return [this.scalar(b.dtype, a), b];
    }
    return [a, typeof b === 'number' ? this.scalar(a.dtype, b) : b];
  }
}

type PoolOptions = Pick<PoolAttrs, 'kernel'> & Partial<PoolAttrs>;

const plainWindow: ConvAttrs = { stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };

function poolWindow({ kernel, stride = kernel, pads = [0, 0, 0, 0] }: PoolOptions): PoolAttrs {
  return { kernel, stride, pads };
}

function positive(axes: readonly number[], x: Value): number[] {
  return axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
}
