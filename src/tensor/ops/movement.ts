import { type Tensor, allocate, elementCount } from '../../base/dtype.js';
import { broadcastData, gather, stridesOf, wrap } from '../arrays.js';
import {
  ShapeError,
  broadcastShapes,
  checkShape,
  isBatch,
  sameDim,
  sameShape,
  showShape,
  units,
  volume,
  withUnits,
} from '../dims.js';
import type { Dim, PrimAttrs, ValueInfo } from '../types.js';
import { type OpDef, checkAxis, checkCounts, checkSame } from './def.js';

/**
 * The tensor seen with its batch axis split in two, [units, N]: what slices, pads and
 * concatenations in units of N work on. Without a batch axis, the shape itself.
 */
function inUnits(shape: readonly Dim[], n: number): { shape: number[]; axis: number } {
  const axis = shape.findIndex(isBatch);
  if (axis < 0) return { shape: shape.map(units), axis };
  const split = shape.map(units);
  split.splice(axis + 1, 0, n);
  return { shape: split, axis };
}

/** Per-axis numbers with `extra` inserted for the N that `inUnits` split off. */
function spread(values: readonly number[], axis: number, extra: number): number[] {
  const out = [...values];
  if (axis >= 0) out.splice(axis + 1, 0, extra);
  return out;
}

export const constant: OpDef<{ readonly value: Tensor }> = {
  arity: 0,
  attrs: ['value'],
  doc: 'the tensor `value`',
  infer: (_, { value }) => ({ dtype: value.dtype, shape: value.shape }),
  evaluate: (_, { attrs, dtype, shape }) => wrap(dtype, shape, copyAs(attrs.value, dtype)),
  gradient: { none: 'it has no operands' },
};

function copyAs(value: Tensor, dtype: Tensor['dtype']): Tensor['data'] {
  if (value.dtype === dtype) return value.data;
  const out = allocate(dtype, value.data.length);
  out.set(value.data);
  return out;
}

export const reshape: OpDef<{ readonly shape: readonly Dim[] }> = {
  arity: 1,
  attrs: ['shape'],
  doc: 'the same values in row-major order under another `shape`',
  infer: ([x], { shape }) => {
    checkShape(shape, 'reshape');
    const [from, to] = [volume(x!.shape), volume(shape)];
    if (from.factor !== to.factor || from.batches !== to.batches) {
      throw new ShapeError(`reshape: ${showShape(x!.shape)} does not fill ${showShape(shape)}`);
    }
    return { dtype: x!.dtype, shape };
  },
  evaluate: ([x], { dtype, shape }) => wrap(dtype, shape, x!.data),
  gradient: ({ b, inputs, grad }) => [b.reshape(grad, inputs[0]!.shape)],
};

export const transpose: OpDef<{ readonly perm: readonly number[] }> = {
  arity: 1,
  attrs: ['perm'],
  doc: 'axes in the order `perm`',
  infer: ([x], { perm }) => {
    if (perm.length !== x!.shape.length || new Set(perm).size !== perm.length) {
      throw new ShapeError(`transpose: [${perm.join(', ')}] does not permute ${showShape(x!.shape)}`);
    }
    for (const axis of perm) checkAxis(axis, x!.shape, 'transpose');
    return { dtype: x!.dtype, shape: perm.map((axis) => x!.shape[axis]!) };
  },
  evaluate: ([x], { attrs, dtype, shape }) => {
    const strides = stridesOf(x!.shape);
    const moved = attrs.perm.map((axis) => strides[axis]!);
    return wrap(dtype, shape, gather(dtype, x!.data, shape, moved));
  },
  gradient: ({ b, attrs, grad }) => {
    const inverse = attrs.perm.map((_, i) => attrs.perm.indexOf(i));
    return [b.transpose(grad, inverse)];
  },
};

export const slice: OpDef<PrimAttrs['slice']> = {
  arity: 1,
  attrs: ['starts', 'ends', 'steps'],
  doc: 'per axis, positions starts, starts + steps, … below ends; on a batch axis the unit is N rows (a time step)',
  infer: ([x], { starts, ends, steps }) => {
    const rank = x!.shape.length;
    checkCounts(starts, rank, 'slice starts');
    checkCounts(ends, rank, 'slice ends');
    checkCounts(steps, rank, 'slice steps', 1);
    const shape = x!.shape.map((dim, i) => {
      if (ends[i]! > units(dim) || starts[i]! > ends[i]!) {
        throw new ShapeError(`slice: ${starts[i]}:${ends[i]} of axis ${i} in ${showShape(x!.shape)}`);
      }
      return withUnits(dim, Math.ceil((ends[i]! - starts[i]!) / steps[i]!));
    });
    return { dtype: x!.dtype, shape };
  },
  evaluate: ([x], { attrs, inputs, dtype, shape, n }) => {
    const from = inUnits(inputs[0]!.shape, n);
    const own = stridesOf(from.shape);
    const starts = spread(attrs.starts, from.axis, 0);
    const steps = spread(attrs.steps, from.axis, 1);
    const ends = spread(attrs.ends, from.axis, n);
    const sizes = starts.map((start, i) => Math.ceil((ends[i]! - start) / steps[i]!));
    const offset = starts.reduce((sum, start, i) => sum + start * own[i]!, 0);
    const strides = own.map((stride, i) => stride * steps[i]!);
    return wrap(dtype, shape, gather(dtype, x!.data, sizes, strides, offset));
  },
  gradient: ({ b, attrs, inputs, grad }) => {
    let g = grad;
    const { shape } = inputs[0]!;
    // Steps > 1: put zeros between the values first, axis by axis.
    attrs.steps.forEach((step, axis) => {
      if (step > 1) g = b.dilate(g, axis, step);
    });
    const after = shape.map((dim, i) => units(dim) - attrs.starts[i]! - units(g.shape[i]!));
    // Dilation leaves step − 1 zeros after the last value, perhaps past the end.
    const over = after.map((a) => Math.max(0, -a));
    if (over.some((o) => o > 0)) {
      g = b.slice(
        g,
        g.shape.map(() => 0),
        g.shape.map((dim, i) => units(dim) - over[i]!),
      );
    }
    return [
      b.pad(
        g,
        attrs.starts,
        after.map((a) => Math.max(0, a)),
        0,
      ),
    ];
  },
};

export const pad: OpDef<PrimAttrs['pad']> = {
  arity: 1,
  attrs: ['before', 'after', 'value'],
  doc: '`value` put before and after, per axis; on a batch axis the unit is N rows (a time step)',
  infer: ([x], { before, after }) => {
    checkCounts(before, x!.shape.length, 'pad before');
    checkCounts(after, x!.shape.length, 'pad after');
    const shape = x!.shape.map((dim, i) => withUnits(dim, units(dim) + before[i]! + after[i]!));
    return { dtype: x!.dtype, shape };
  },
  evaluate: ([x], { attrs, inputs, dtype, shape, n }) => {
    const from = inUnits(inputs[0]!.shape, n);
    const before = spread(attrs.before, from.axis, 0);
    const after = spread(attrs.after, from.axis, 0);
    const to = stridesOf(from.shape.map((size, i) => before[i]! + size + after[i]!));
    const out = allocate(dtype, elementCount(shape)).fill(attrs.value);
    const own = stridesOf(from.shape);
    for (let i = 0; i < x!.data.length; i++) {
      let at = 0;
      for (let axis = 0, rest = i; axis < own.length; axis++) {
        const position = Math.floor(rest / own[axis]!);
        rest -= position * own[axis]!;
        at += (position + before[axis]!) * to[axis]!;
      }
      out[at] = x!.data[i]!;
    }
    return wrap(dtype, shape, out);
  },
  gradient: ({ b, attrs, inputs, grad }) => [
    b.slice(
      grad,
      attrs.before,
      inputs[0]!.shape.map((dim, i) => attrs.before[i]! + units(dim)),
    ),
  ],
};

export const concat: OpDef<{ readonly axis: number }> = {
  arity: 'many',
  attrs: ['axis'],
  doc: 'operands one after another along `axis`',
  infer: (inputs, { axis }) => {
    const dtype = checkSame(inputs, 'concat');
    const first = inputs[0]!.shape;
    checkAxis(axis, first, 'concat');
    let size = 0;
    for (const { shape } of inputs) {
      const fits =
        shape.length === first.length &&
        isBatch(shape[axis]!) === isBatch(first[axis]!) &&
        shape.every((dim, i) => i === axis || sameDim(dim, first[i]!));
      if (!fits) throw new ShapeError(`concat: ${showShape(first)} and ${showShape(shape)} along axis ${axis}`);
      size += units(shape[axis]!);
    }
    return { dtype, shape: first.map((dim, i) => (i === axis ? withUnits(dim, size) : dim)) };
  },
  evaluate: (operands, { attrs, dtype, shape }) => {
    const outer = elementCount(shape.slice(0, attrs.axis));
    const out = allocate(dtype, elementCount(shape));
    const row = elementCount(shape.slice(attrs.axis));
    let at = 0;
    for (const operand of operands) {
      const part = elementCount(operand.shape.slice(attrs.axis));
      for (let o = 0; o < outer; o++) out.set(operand.data.subarray(o * part, (o + 1) * part), o * row + at);
      at += part;
    }
    return wrap(dtype, shape, out);
  },
  gradient: ({ b, attrs, inputs, grad }) => {
    let at = 0;
    return inputs.map(({ shape }) => {
      const size = units(shape[attrs.axis]!);
      const part = b.sliceAxis(grad, attrs.axis, at, at + size);
      at += size;
      return part;
    });
  },
};

export const broadcast: OpDef<{ readonly shape: readonly Dim[] }> = {
  arity: 1,
  attrs: ['shape'],
  doc: 'repeated to `shape` by the rules of broadcasting',
  infer: ([x], { shape }): ValueInfo => {
    checkShape(shape, 'broadcast');
    if (!sameShape(broadcastShapes(x!.shape, shape, 'broadcast'), shape)) {
      throw new ShapeError(`broadcast: ${showShape(x!.shape)} is larger than ${showShape(shape)}`);
    }
    return { dtype: x!.dtype, shape };
  },
  evaluate: ([x], { dtype, shape }) => wrap(dtype, shape, broadcastData(x!, shape)),
  gradient: ({ b, inputs, grad }) => [b.sumTo(grad, inputs[0]!.shape)],
};
