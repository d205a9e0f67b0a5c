import { elementCount } from '../../../base/dtype.js';
import type { NodeContext } from '../context.js';
import { type RealValue, batchPlace, inAxesOf, withBatchAt, withBatchFirst } from '../values.js';
import { inShape } from './layout.js';

/** The product of two matrices of activations, as attention has it: [N, …, m, k] by [N, …, k, n]. */
export function matrixProduct(context: NodeContext): RealValue {
  return productOf(context, context.realInAnyLayout(0), context.realInAnyLayout(1), context.output);
}

/** The matrix product of two activations of as many axes; the batch is among the outer ones. */
export function productOf(context: NodeContext, a: RealValue, b: RealValue, origin: string | undefined): RealValue {
  const [left, right] = [context.onnxShape(a), context.onnxShape(b)];
  const text = (shape: readonly number[]): string => `[${shape.map((n) => (Number.isNaN(n) ? 'N' : n)).join(', ')}]`;
  const place = batchPlace(a);
  if (left.length !== right.length || left.length < 2 || batchPlace(b) !== place || place > left.length - 3) {
    context.badForm(
      `it multiplies activations ${text(left)} by ${text(right)}`,
      'two activations are multiplied as matrices [N, …, m, k] by [N, …, k, n], of as many axes',
    );
  }
  const outer = left.slice(0, -2);
  if (left.at(-1) !== right.at(-2) || outer.some((n, i) => !Number.isNaN(n) && n !== right[i])) {
    context.shapeMismatch(`it multiplies activations ${text(left)} by ${text(right)}`);
  }
  const inputs = [a, b].map((value) => context.inOwnLayout(withBatchFirst(value)));
  const made = context.emit({
    kind: 'matmul',
    inputs,
    attrs: { transpose: false },
    origin: place > 0 ? undefined : origin,
  });
  return withBatchAt(made, context.shapeOf(made).length + 1, place);
}

/** The axis of an activation that an attribute names, not the batch's: in the file, and of the network's op. */
export function axisOf(
  context: NodeContext,
  x: RealValue,
  given: number,
): { readonly onnx: number; readonly own: number } {
  const rank = context.onnxShape(x).length;
  const onnx = given < 0 ? given + rank : given;
  if (!(onnx >= 0 && onnx < rank)) context.badAttribute('axis', given);
  const own = (x.perm?.[onnx] ?? onnx) - 1;
  if (own < 0) context.badForm('it acts along the batch axis', 'the batch must stay whole');
  return { onnx, own };
}

/** Softmax along an axis, inside of a network; before opset 13 over all axes from there on. */
export function softmaxOver(
  context: NodeContext,
  x: RealValue,
  given: number,
  opset: number,
  origin: string | undefined,
): RealValue {
  const rank = context.onnxShape(x).length;
  const axis = axisOf(context, x, given);
  const named = origin === undefined ? { suffix: 'softmax' } : { origin };
  if (opset >= 13 || axis.onnx === rank - 1) {
    const made = context.emit({ kind: 'softmax', inputs: [x], attrs: { axis: axis.own }, ...named });
    return inAxesOf(x, made);
  }
  return onTrailingAxes(context, x, axis.onnx, origin, (flat, last) => {
    return context.emit({ kind: 'softmax', inputs: [flat], attrs: { axis: last }, suffix: 'softmax' });
  });
}

/** What a function of all values from an axis on makes of them: it sees these axes as one. */
export function onTrailingAxes(
  context: NodeContext,
  x: RealValue,
  axis: number,
  origin: string | undefined,
  act: (flat: RealValue, last: number) => RealValue,
): RealValue {
  const shape = context.onnxShape(x);
  const flat = [...shape.slice(0, axis), elementCount(shape.slice(axis))];
  if (Number.isNaN(flat.at(-1))) context.badForm('it acts along the batch axis', 'the batch must stay whole');
  const joined = inShape(context, x, flat, undefined);
  const own = (joined.perm?.[axis] ?? axis) - 1;
  return inShape(context, inAxesOf(joined, act(joined, own)), shape, origin);
}
