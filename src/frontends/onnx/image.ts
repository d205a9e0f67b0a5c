import type { NodeContext } from './context.js';
import { type RealValue, onGridOf } from './values.js';

/** Axes of [N, C, L] among those of an image of height 1. */
const line = [0, 1, 3];
/** Axes of [N, L, C] among those of an image of height 1. */
const lineLast = [0, 3, 1];
/** Axes of [N, H, W, C] among those of [N, C, H, W]. */
const channelsLast = [0, 2, 3, 1];

/** A value as windows slide over it: an op of shape [C, H, W], and how the ONNX axes of results lie in such a one. */
export interface Image {
  readonly x: RealValue;
  readonly view: readonly number[] | undefined;
}

/** [N, C, H, W] as it is, [N, C, L] as an image of height 1: a window of height 1 over it does the same, exactly. */
export function asImage(context: NodeContext, value: RealValue): Image {
  const { perm, ...own } = value;
  const shape = context.shapeOf(value);
  if (perm?.join() === line.join() && shape[1] === 1) return { x: own, view: line };
  const x = context.inOwnLayout(value);
  const [channels, length] = context.shapeOf(x);
  const rank = context.shapeOf(x).length;
  if (rank === 3) return { x, view: undefined };
  if (rank !== 2) {
    context.badForm(`its input has ${rank + 1} axes`, 'images [N, C, H, W] and lines [N, C, L] are supported');
  }
  const known = context.graph.reshapedFrom.get(x.op);
  if (known !== undefined && context.shapeOf(known).join() === [channels, 1, length].join()) {
    return { x: known, view: line };
  }
  const image = context.emit({
    kind: 'reshape',
    inputs: [x],
    attrs: { shape: [channels!, 1, length!] },
    suffix: 'image',
  });
  return { x: onGridOf(x, image), view: line };
}

/** The same, and [N, C, D, H, W] as it is: an op of shape [C, D, H, W]. */
export function asSpace(context: NodeContext, value: RealValue): Image {
  if (context.onnxShape(value).length !== 5) return asImage(context, value);
  return { x: context.inOwnLayout(value), view: undefined };
}

/** [N, H, W, C] or [N, L, C], as the operators of onnxruntime's layout optimiser read it. */
export function asChannelsLastImage(context: NodeContext, value: RealValue): Image {
  const rank = context.onnxShape(value).length;
  if (rank !== 4 && rank !== 3) context.badForm('channels_last is set, but its input is no image');
  const perm = (rank === 4 ? [0, 3, 1, 2] : [0, 2, 1]).map((axis) => value.perm?.[axis] ?? axis);
  if (rank === 4) return { x: context.inOwnLayout({ ...value, perm }), view: channelsLast };
  return { x: asImage(context, { ...value, perm }).x, view: lineLast };
}

/** The ONNX tensor that a result equals, seen through `view`: none where its elements lie in another order. */
export function seenOrigin(view: readonly number[] | undefined, origin: string | undefined): string | undefined {
  return view === undefined || view.every((axis, i) => i === 0 || view[i - 1]! < axis) ? origin : undefined;
}

/** A result with the axes of the image it was computed from. */
export function viewed(result: RealValue, view: readonly number[] | undefined): RealValue {
  return view === undefined ? result : { ...result, perm: view };
}
