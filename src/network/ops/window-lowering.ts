import { tensor } from '../../base/dtype.js';
import { folded, stepsOf } from '../../tensor/index.js';
import type { Act } from './lowering.js';
import type { WindowAttrs } from './type-rules.js';

/** A window layer's attributes as the primitives take them. */
export function windowOf({ kernel, stride, pads }: WindowAttrs): Pick<WindowAttrs, 'kernel' | 'stride' | 'pads'> {
  return { kernel, stride, pads };
}

/** How windows act on images, on [C, L] too, as images of one row. */
export function onImages<A>(act: Act<A>): Act<A> {
  return (acting, op, [x]) => {
    if (op.type.shape.length !== 2) return act(acting, op, [x!]);
    const { builder } = acting;
    const [steps, [channels, length]] = [stepsOf(x!), x!.shape.slice(1) as [number, number]];
    const row = builder.reshape(x!, folded(steps, [channels, 1, length]));
    return builder.reshape(act(acting, op, [row]), folded(steps, op.type.shape));
  };
}

/**
 * Sum over a pool's windows, exact on integers: the primitive's average times the window size where
 * that is a power of two, else a depthwise convolution with ones.
 */
export const sumOfWindows: Act<WindowAttrs> = onImages(({ builder }, { attrs, type }, [x]) => {
  const { kernel, stride, pads } = attrs;
  const size = kernel[0] * kernel[1];
  if (Number.isInteger(Math.log2(size)) && pads.every((n) => n === 0)) {
    return builder.mul(builder.avgpool(x!, { kernel, stride, pads, include_pad: true }), size);
  }
  const channels = type.shape[0]!;
  const ones = builder.constant(tensor('f32', [channels, 1, ...kernel], new Float32Array(channels * size).fill(1)));
  return builder.conv2d(x!, ones, { stride, pads, dilation: [1, 1], groups: channels });
});
