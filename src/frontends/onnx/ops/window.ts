import type { NodeContext } from '../context.js';

/** Where a window slides: kernel, stride, pads as top, left, bottom, right, and dilation as [h, w]; over [C, D, H, W] of three axes. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
  readonly dilation: readonly number[];
}

/**
 * Reads strides, dilations, pads and auto_pad of a window op over [C, H, W] or [C, D, H, W]. Over lines, which are
 * images of height 1, the file's lists have one axis, and so has `given`.
 */
export function readWindow(context: NodeContext, shape: readonly number[], given: readonly number[]): Window {
  const spatial = given.length;
  const lifted = (list: readonly number[]): readonly number[] => (spatial === 1 ? [1, ...list] : list);
  const kernel = lifted(given);
  const stride = lifted(context.sizes('strides', spatial, 1, Array<number>(spatial).fill(1)));
  const dilation = lifted(context.sizes('dilations', spatial, 1, Array<number>(spatial).fill(1)));
  const autoPad = context.string('auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET' || autoPad === '') {
    const pads = context.sizes('pads', 2 * spatial, 0, Array<number>(2 * spatial).fill(0));
    return { kernel, stride, dilation, pads: spatial === 1 ? [0, pads[0]!, 0, pads[1]!] : pads };
  }
  if (autoPad === 'VALID') return { kernel, stride, dilation, pads: kernel.flatMap(() => [0, 0]) };
  if (autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER') context.badAttribute('auto_pad', autoPad);
  const before: number[] = [];
  const after: number[] = [];
  for (let axis = 0; axis < kernel.length; axis++) {
    const length = shape[axis + 1]!;
    const out = Math.ceil(length / stride[axis]!);
    const span = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const total = Math.max(0, (out - 1) * stride[axis]! + span - length);
    const less = Math.floor(total / 2);
    before.push(autoPad === 'SAME_UPPER' ? less : total - less);
    after.push(autoPad === 'SAME_UPPER' ? total - less : less);
  }
  return { kernel, stride, dilation, pads: [...before, ...after] };
}

/** A list-valued attribute, mutable copy for the network. */
export function windowAttrs(window: Window): { kernel: number[]; stride: number[]; pads: number[] } {
  return { kernel: [...window.kernel], stride: [...window.stride], pads: [...window.pads] };
}
