import { tensor } from '../../../base/dtype.js';
import { type Op, listAttr, numberAttr } from '../../../network/index.js';
import { stepsOf } from '../runnable.js';
import { folded } from '../context.js';
import type { Act, OpLowering } from './op-lowering.js';

/** A window layer's attributes as the primitives take them. */
export function windowOf({ attrs }: Op): {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
} {
  return { kernel: listAttr(attrs, 'kernel'), stride: listAttr(attrs, 'stride'), pads: listAttr(attrs, 'pads') };
}

export const conv: OpLowering = {
  role: 'synapse',
  act: ({ builder, weight }, op, [x]) =>
    builder.conv2d(x!, weight(op), {
      stride: listAttr(op.attrs, 'stride'),
      pads: listAttr(op.attrs, 'pads'),
      dilation: listAttr(op.attrs, 'dilation'),
      groups: numberAttr(op.attrs, 'groups'),
    }),
  gain: 'gain',
  plus: 'bias',
};

export const linear: OpLowering = {
  role: 'synapse',
  act: ({ builder, weight }, op, [x]) => builder.matmul(x!, weight(op), { transB: true }),
  gain: 'gain',
  plus: 'bias',
};

/** One kernel of odd length over the channels of [C,1,1], zeros at the ends. */
export const channelConv: OpLowering = {
  role: 'synapse',
  act: ({ builder, weight }, op, [x]) => {
    const k = numberAttr(op.attrs, 'kernel');
    const [channels] = op.type.shape as [number];
    const steps = stepsOf(x!);
    const kernel = builder.reshape(weight(op), [1, 1, 1, k]);
    const row = builder.reshape(x!, folded(steps, [1, 1, channels]));
    const half = (k - 1) / 2;
    const y = builder.conv2d(row, kernel, { stride: [1, 1], pads: [0, half, 0, half], dilation: [1, 1], groups: 1 });
    return builder.reshape(y, folded(steps, op.type.shape));
  },
};

/** x·scale + shift. */
export const affine: OpLowering = { role: 'synapse', gain: 'scale', plus: 'shift' };

/**
 * Sum over a pool's windows, exact on integers: the primitive's average times the window size where
 * that is a power of two, else a depthwise convolution with ones.
 */
const sumOfWindows: Act = ({ builder }, op, [x]) => {
  const { kernel, stride, pads } = windowOf(op);
  const size = kernel[0]! * kernel[1]!;
  if (Number.isInteger(Math.log2(size)) && pads.every((n) => n === 0)) {
    return builder.mul(builder.avgpool(x!, { kernel, stride, pads, include_pad: true }), size);
  }
  const channels = op.type.shape[0]!;
  const ones = builder.constant(tensor('f32', [channels, 1, ...kernel], new Float32Array(channels * size).fill(1)));
  return builder.conv2d(x!, ones, { stride, pads, dilation: [1, 1], groups: channels });
};

export const avgpool: OpLowering = {
  role: 'synapse',
  act: ({ builder }, op, [x]) =>
    builder.avgpool(x!, { ...windowOf(op), include_pad: op.attrs['include_pad'] === true }),
  sums: {
    act: sumOfWindows,
    size: (op) => listAttr(op.attrs, 'kernel').reduce((a, b) => a * b, 1),
  },
  gain: 'gain',
  plus: 'bias',
};

export const globalavgpool: OpLowering = {
  role: 'synapse',
  act: ({ builder }, _, [x]) => builder.mean(x!, [2, 3], true),
  sums: {
    act: ({ builder }, _, [x]) => builder.sum(x!, [2, 3], true),
    size: (_, shape) => shape[1]! * shape[2]!,
  },
  gain: 'gain',
  plus: 'bias',
};

/** Whether an average divides alike everywhere, so that it is a sum of its windows at a smaller scale. */
export function dividesAlike({ attrs }: Op): boolean {
  return attrs['include_pad'] === true || listAttr(attrs, 'pads', [0]).every((n) => n === 0);
}
