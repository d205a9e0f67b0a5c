import { type Tensor, allocate, elementCount } from '../../base/dtype.js';
import { gather, stridesOf, wrap } from '../arrays.js';
import { type Dim, type ValueInfo } from '../types.js';
import { ShapeError, fixed } from '../dims.js';
import { type EvalContext, type OpDef, arithmetic, checkAxis, checkDtype } from './def.js';

interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

function reducedType(x: ValueInfo, { axes, keepdims }: ReduceAttrs, what: string): ValueInfo {
  checkDtype(x.dtype, arithmetic, what);
  for (const axis of axes) checkAxis(axis, x.shape, what);
  if (new Set(axes).size !== axes.length) throw new ShapeError(`${what}: axes [${axes.join(', ')}] repeat`);
  const shape: Dim[] = [];
  x.shape.forEach((dim, i) => {
    if (!axes.includes(i)) shape.push(dim);
    else if (keepdims) shape.push(1);
  });
  return { dtype: x.dtype, shape };
}

/** Folds `f` over the given axes, in row-major order of the reduced axes, in float64. */
function reduce(
  x: Tensor,
  axes: readonly number[],
  context: EvalContext<unknown>,
  start: number,
  f: (accumulated: number, value: number) => number,
): Tensor {
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const order = [...kept, ...axes];
  const moved = gather(
    x.dtype,
    x.data,
    order.map((i) => x.shape[i]!),
    order.map((i) => strides[i]!),
  );
  const group = elementCount(axes.map((i) => x.shape[i]!));
  const out = allocate(context.dtype, elementCount(context.shape));
  for (let o = 0; o < out.length; o++) {
    let accumulated = start;
    for (let i = 0; i < group; i++) accumulated = f(accumulated, moved[o * group + i]!);
    out[o] = accumulated;
  }
  return wrap(context.dtype, context.shape, out);
}

/** The shape with 1 in place of the reduced axes. */
function kept(shape: readonly Dim[], axes: readonly number[]): Dim[] {
  return shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
}

export const sum: OpDef<ReduceAttrs> = {
  arity: 1,
  attrs: ['axes', 'keepdims'],
  doc: 'the sum over `axes`',
  infer: ([x], attrs) => reducedType(x!, attrs, 'sum'),
  evaluate: ([x], context) => reduce(x!, context.attrs.axes, context, 0, (a, v) => a + v),
  gradient: ({ b, attrs, inputs, grad }) => {
    const { shape } = inputs[0]!;
    return [b.broadcast(b.reshape(grad, kept(shape, attrs.axes)), shape)];
  },
};

export const reduceMax: OpDef<ReduceAttrs> = {
  arity: 1,
  attrs: ['axes', 'keepdims'],
  doc: 'the largest value over `axes`; the gradient goes to every maximum, divided by their number',
  infer: ([x], attrs) => reducedType(x!, attrs, 'reduce_max'),
  evaluate: ([x], context) =>
    reduce(x!, context.attrs.axes, context, context.dtype === 'i32' ? -2147483648 : -Infinity, Math.max),
  gradient: ({ b, attrs, inputs, out, grad }) => {
    const x = inputs[0]!;
    const like = kept(x.shape, attrs.axes);
    const mask = b.cast(b.eq(x, b.reshape(out, like)), grad.dtype);
    const count = b.sum(mask, attrs.axes, true);
    return [b.mul(mask, b.div(b.reshape(grad, like), count))];
  },
};

export const argmax: OpDef<{ readonly axis: number }> = {
  arity: 1,
  attrs: ['axis'],
  doc: 'the index (i32) of the first maximum along `axis`, which is dropped',
  infer: ([x], { axis }) => {
    checkDtype(x!.dtype, arithmetic, 'argmax');
    checkAxis(axis, x!.shape, 'argmax');
    fixed(x!.shape[axis], 'argmax: the axis');
    return { dtype: 'i32', shape: x!.shape.filter((_, i) => i !== axis) };
  },
  evaluate: ([x], { attrs, shape }) => {
    const size = x!.shape[attrs.axis]!;
    const inner = elementCount(x!.shape.slice(attrs.axis + 1));
    const out = allocate('i32', elementCount(shape));
    for (let o = 0; o < out.length; o++) {
      const base = Math.floor(o / inner) * size * inner + (o % inner);
      let best = 0;
      for (let i = 1; i < size; i++) if (x!.data[base + i * inner]! > x!.data[base + best * inner]!) best = i;
      out[o] = best;
    }
    return wrap('i32', shape, out);
  },
  gradient: { none: 'an index is piecewise constant' },
};
