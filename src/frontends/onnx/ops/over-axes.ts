import { elementCount } from '../../../base/dtype.js';
import type { NodeContext } from '../context.js';
import { type RealValue, batchPlace, withBatchFirst } from '../values.js';
import { inShape } from './layout.js';

/** The value with its ONNX axes in another order. */
export function permuted(context: NodeContext, value: RealValue, order: readonly number[]): RealValue {
  const { perm = context.onnxShape(value).map((_, axis) => axis) } = value;
  return { ...value, perm: order.map((axis) => perm[axis]!) };
}

/**
 * What is made of all numbers along some axes, by `of` of lines [N, C, L] as [N, C]: the axes are moved behind the others, and both made one.
 * `origin` is the tensor that the result equals.
 */
export function overAxes(
  context: NodeContext,
  value: RealValue,
  axes: readonly number[],
  keep: boolean,
  origin: string | undefined,
  of: (lines: RealValue) => RealValue,
): RealValue {
  const shape = context.onnxShape(value);
  const place = batchPlace(value);
  if (axes.length === 0 || axes.some((axis) => axis === place || !(axis >= 0 && axis < shape.length))) {
    context.badForm(
      `it reduces axes [${axes.join(', ')}] of ${shape.length}`,
      `${context.node.opType} is supported over any axes but the batch`,
    );
  }
  const [reduced, rest] = [true, false].map((is) =>
    shape.flatMap((_, axis) => (axis !== place && axes.includes(axis) === is ? [axis] : [])),
  ) as [number[], number[]];
  const size = (of: readonly number[]): number => elementCount(of.map((axis) => shape[axis]!));
  const moved = permuted(context, value, [...(place < 0 ? [] : [place]), ...rest, ...reduced]);
  const own = context.inOwnLayout(withBatchFirst(moved));
  const made = of(inShape(context, own, [NaN, size(rest), size(reduced)], undefined));
  const target = keep
    ? shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    : shape.filter((_, i) => !axes.includes(i));
  return inShape(context, made, target, origin);
}
