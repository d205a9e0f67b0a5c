import { tensor } from '../../base/dtype.js';
import { type Dim, type PrimAttrs, isBatch, repeatedPixels } from '../../tensor/index.js';
import { type Emit, reshapeTarget, size } from './context.js';

/** ONNX takes the axes of a sum as an operand (opset 13), those of a maximum as an attribute (before 18). */
export const sum: Emit<PrimAttrs['sum']> = ({ w, attrs, names, out }) => {
  if (attrs.axes.length === 0) w.node('Identity', names, {}, out);
  else w.node('ReduceSum', [names[0]!, w.ints(attrs.axes)], { keepdims: attrs.keepdims ? 1 : 0 }, out);
};

export const reduceMax: Emit<PrimAttrs['reduce_max']> = ({ w, attrs, names, out }) => {
  if (attrs.axes.length === 0) w.node('Identity', names, {}, out);
  else w.node('ReduceMax', names, { axes: attrs.axes, keepdims: attrs.keepdims ? 1 : 0 }, out);
};

export const argmax: Emit<PrimAttrs['argmax']> = ({ w, attrs, names, out }) => {
  const index = w.node('ArgMax', names, { axis: attrs.axis, keepdims: 0, select_last_index: 0 });
  w.node('Cast', [index], { to: 6 }, out);
};

/** Repeated pixels are a Resize: onnxruntime expands six axes 50 times as slowly. */
export const reshape: Emit<PrimAttrs['reshape']> = ({ w, op, attrs, names, makerOf, typeOf, out }) => {
  const repeated = op.dtype === 'f32' ? repeatedPixels(op, makerOf, typeOf) : undefined;
  if (repeated === undefined) {
    w.node('Reshape', [names[0]!, w.ints(reshapeTarget(attrs.shape))], {}, out);
    return;
  }
  const factors = [1, 1, repeated.down, repeated.across];
  const scales = w.share(`scales(${factors.join()})`, (name) => w.initializer(name, tensor('f32', [4], factors)));
  const nearest = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
  w.node('Resize', [repeated.source, '', scales], nearest, out);
};

export const transpose: Emit<PrimAttrs['transpose']> = ({ w, attrs, names, out }) => {
  w.node('Transpose', names, { perm: attrs.perm }, out);
};

/** The shape with its batch axis split in [units, N]; N becomes −1 of a Reshape. */
function splitBatch(shape: readonly Dim[], axis: number): number[] {
  return shape.flatMap((dim, i) => (i === axis && isBatch(dim) ? [dim.batch, -1] : [dim as number]));
}

/**
 * Whole steps of the batch axis are one Slice whose bounds are multiples of N computed once
 * per graph; with a stride, the axis is split in two first.
 */
export const slice: Emit<PrimAttrs['slice']> = ({ w, op, attrs, names, inputs, out }) => {
  const { shape } = inputs[0]!;
  const axis = shape.findIndex(isBatch);
  const cut = shape
    .map((_, i) => i)
    .filter((i) => {
      const dim = shape[i]!;
      return attrs.starts[i] !== 0 || attrs.ends[i] !== (isBatch(dim) ? dim.batch : dim) || attrs.steps[i] !== 1;
    });
  if (cut.length === 0) {
    w.node('Identity', names, {}, out);
    return;
  }
  const pick = (values: readonly number[], axes: readonly number[]) => w.ints(axes.map((i) => values[i]!));
  const apply = (source: string, axes: readonly number[], to?: string) =>
    w.node(
      'Slice',
      [source, pick(attrs.starts, axes), pick(attrs.ends, axes), w.ints(axes), pick(attrs.steps, axes)],
      {},
      to ?? w.fresh('Slice'),
    );
  if (!cut.includes(axis)) {
    apply(names[0]!, cut, out);
    return;
  }
  const others = cut.filter((i) => i !== axis);
  const source = others.length === 0 ? names[0]! : apply(names[0]!, others);
  if (attrs.steps[axis] === 1) {
    const [start, end] = [w.batches(attrs.starts[axis]!), w.batches(attrs.ends[axis]!)];
    w.node('Slice', [source, start, end, w.ints([axis])], {}, out);
    return;
  }
  const partial = shape.map((dim, i) => (i === axis ? dim : op.shape[i]!));
  const split = w.node('Reshape', [source, w.ints(splitBatch(partial, axis))]);
  const sliced = apply(split, [axis]);
  w.node('Reshape', [sliced, w.ints(reshapeTarget(op.shape))], {}, out);
};

/** Padding with whole steps of the batch axis splits the axis in two first. */
export const pad: Emit<PrimAttrs['pad']> = ({ w, op, attrs, names, inputs, out }) => {
  const { shape } = inputs[0]!;
  const value = w.scalar(op.dtype, attrs.value);
  const axis = shape.findIndex(isBatch);
  if (axis < 0 || (attrs.before[axis] === 0 && attrs.after[axis] === 0)) {
    w.node('Pad', [names[0]!, w.ints([...attrs.before, ...attrs.after]), value], {}, out);
    return;
  }
  const split = w.node('Reshape', [names[0]!, w.ints(splitBatch(shape, axis))]);
  const spread = (counts: readonly number[]) => [...counts.slice(0, axis + 1), 0, ...counts.slice(axis + 1)];
  const padded = w.node('Pad', [split, w.ints([...spread(attrs.before), ...spread(attrs.after)]), value]);
  w.node('Reshape', [padded, w.ints(reshapeTarget(op.shape))], {}, out);
};

export const concat: Emit<PrimAttrs['concat']> = ({ w, attrs, names, out }) => {
  w.node('Concat', names, { axis: attrs.axis }, out);
};

/** Expand leaves alone the axes where it is given 1, so the batch is needed only where it is new. */
export const broadcast: Emit<PrimAttrs['broadcast']> = ({ w, op, names, inputs, out }) => {
  const from = inputs[0]!.shape;
  const lead = op.shape.length - from.length;
  const target = op.shape.map((dim, i): Dim => (isBatch(dim) && i >= lead && isBatch(from[i - lead]!) ? 1 : dim));
  w.node('Expand', [names[0]!, w.dynamicShape(target)], {}, out);
};

/**
 * A binary search, unrolled: each round takes one threshold an element and compares. Thresholds are filled up with
 * infinities to 2^rounds − 1.
 */
export const lookup: Emit<PrimAttrs['lookup']> = ({ w, names, inputs, out }) => {
  const [x, thresholds, values] = names as [string, string, string];
  const { dtype, shape } = inputs[1]!;
  const count = size(shape, 0);
  const rounds = Math.ceil(Math.log2(count + 1));
  const missing = 2 ** rounds - 1 - count;
  const greatest = dtype === 'i32' ? 2 ** 31 - 1 : Infinity;
  const all = missing === 0 ? thresholds : w.node('Pad', [thresholds, w.ints([0, missing]), w.scalar(dtype, greatest)]);
  const zero = w.scalar('i32', 0);
  let index: string | undefined;
  for (let step = 2 ** (rounds - 1); step >= 1; step /= 2) {
    const after = w.scalar('i32', step - 1);
    const probed = index === undefined ? after : w.node('Add', [index, after]);
    const reached = w.node('GreaterOrEqual', [x, w.node('Gather', [all, probed], { axis: 0 })]);
    const taken = w.node('Where', [reached, w.scalar('i32', step), zero]);
    index = index === undefined ? taken : w.node('Add', [index, taken]);
  }
  // +∞ reaches the fillings too
  w.node('Gather', [values, w.node('Min', [index!, w.scalar('i32', count)])], { axis: 0 }, out);
};
