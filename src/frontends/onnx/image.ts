import { fail } from '../../base/diagnostics/index.js';
import type { NodeContext } from './context.js';
import { type RealValue, inOrder } from './values.js';

/** Axes of [N, C, L] among those of an image of height 1. */
const line = [0, 1, 3];
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
  return { x: x.grid === undefined ? image : { ...image, grid: x.grid }, view: line };
}

/** [N, H, W, C], as the operators of onnxruntime's layout optimiser read it. */
export function asChannelsLastImage(context: NodeContext, value: RealValue): Image {
  const perm = [0, 3, 1, 2].map((axis) => value.perm?.[axis] ?? axis);
  if (context.onnxShape(value).length !== 4) context.badForm('channels_last is set, but its input is no image');
  if (!inOrder(perm, context.shapeOf(value))) fail('onnx/layout', { op: context.node.opType, perm }, context.place);
  return { x: context.inOwnLayout({ ...value, perm }), view: channelsLast };
}

/** A result with the axes of the image it was computed from. */
export function viewed(result: RealValue, view: readonly number[] | undefined): RealValue {
  return view === undefined ? result : { ...result, perm: view };
}
