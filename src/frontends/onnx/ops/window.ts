import type { NodeContext } from '../context.js';

/** Where a window slides: kernel, stride, pads as top, left, bottom, right, and dilation as [h, w]. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
  readonly dilation: readonly number[];
}

/** Reads strides, dilations, pads and auto_pad of a 2-D window op over H×W. */
export function readWindow(context: NodeContext, shape: readonly number[], kernel: readonly number[]): Window {
  imageOnly(context, shape);
  const stride = context.sizes('strides', 2, 1, [1, 1]);
  const dilation = context.sizes('dilations', 2, 1, [1, 1]);
  const autoPad = context.string('auto_pad', 'NOTSET');
  if (autoPad === 'NOTSET' || autoPad === '') {
    return { kernel, stride, dilation, pads: context.sizes('pads', 4, 0, [0, 0, 0, 0]) };
  }
  if (autoPad === 'VALID') return { kernel, stride, dilation, pads: [0, 0, 0, 0] };
  if (autoPad !== 'SAME_UPPER' && autoPad !== 'SAME_LOWER') context.badAttribute('auto_pad', autoPad);
  const before: number[] = [];
  const after: number[] = [];
  for (let axis = 0; axis < 2; axis++) {
    const length = shape[axis + 1]!;
    const out = Math.ceil(length / stride[axis]!);
    const span = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const total = Math.max(0, (out - 1) * stride[axis]! + span - length);
    const less = Math.floor(total / 2);
    before.push(autoPad === 'SAME_UPPER' ? less : total - less);
    after.push(autoPad === 'SAME_UPPER' ? total - less : less);
  }
  return { kernel, stride, dilation, pads: [before[0]!, before[1]!, after[0]!, after[1]!] };
}

/** A list-valued attribute, mutable copy for the network. */
export function windowAttrs(window: Window): { kernel: number[]; stride: number[]; pads: number[] } {
  return { kernel: [...window.kernel], stride: [...window.stride], pads: [...window.pads] };
}

/** Windows slide over images. */
export function imageOnly(context: NodeContext, shape: readonly number[]): void {
  if (shape.length === 3) return;
  context.badForm(`its input has ${shape.length + 1} axes`, 'only images [N, C, H, W] are supported');
}
