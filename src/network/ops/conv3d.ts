import { type ProgramBuilder, type Value, folded, stepsOf } from '../../tensor/index.js';
import { list, number } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { perOutput } from './traits.js';
import { linearResult, sameShape, shapeText, windowLength } from './type-rules.js';
import { weightAttrs, weightParams } from './weights.js';
import { synapseTraits } from './row-traits.js';

export const conv3d = defineOp({
  doc: 'Convolution of [C,D,H,W] over three axes: kernel, stride and dilation have three numbers, pads six (those before, then those behind). Weight [out,in/groups,kd,kh,kw]. On spikes, `planes`, `weight_bits` and `folded_bias`: as conv.',
  arity: [1, 1],
  attrs: { kernel: list(), stride: list(), pads: list(), dilation: list(), groups: number(), ...weightAttrs },
  params: weightParams,
  traits: {
    ...synapseTraits,
    role: 'weighted',
    macs: perOutput,
    padding: 'zeros',
  },
  links: sliding,
  lowering: {
    role: 'synapse',
    // the taps of the depth beside the channels: a convolution of the images at each depth
    act: ({ builder, weight }, op, [x]) => {
      const { kernel, stride, pads, dilation, groups } = op.attrs as unknown as Attrs3;
      const [channels, , height, width] = x!.shape.slice(1) as [number, number, number, number];
      const [out, depth, ...image] = op.type.shape as [number, number, number, number];
      const steps = stepsOf(x!);
      const taps = depthTaps(builder, x!, op.attrs as unknown as Attrs3, depth);
      // [N, C, kd, D', H, W] → [N·D', C·kd, H, W]
      const rows = builder.transpose(taps, [0, 3, 1, 2, 4, 5]);
      const images = builder.reshape(rows, folded(steps * depth, [channels * kernel[0], height, width]));
      const flat = builder.reshape(weight(op), [out, (channels / groups) * kernel[0], kernel[1], kernel[2]]);
      const y = builder.conv2d(images, flat, {
        stride: [stride[1], stride[2]],
        pads: [pads[1], pads[2], pads[4], pads[5]],
        dilation: [dilation[1], dilation[2]],
        groups,
      });
      const apart = builder.reshape(y, folded(steps, [depth, out, ...image]));
      return builder.transpose(apart, [0, 2, 1, 3, 4]);
    },
    gain: 'gain',
    plus: 'bias',
  },
  type: ({ inputs, attrs, param }) => {
    const { shape } = inputs[0]!;
    const weight = param('weight')!;
    const { kernel, stride, pads, dilation, groups } = attrs;
    if (shape.length !== 4) return `needs a [C,D,H,W] input, has ${shapeText(shape)}`;
    if (![kernel, stride, dilation].every((one) => one.length === 3) || pads.length !== 6)
      return 'needs three numbers in kernel, stride and dilation, and six in pads';
    if (weight.length !== 5) return `weight must be [out,in/groups,kd,kh,kw], is ${shapeText(weight)}`;
    if (weight[1]! * groups !== shape[0]! || weight[0]! % groups !== 0)
      return `weight ${shapeText(weight)} with ${groups} group(s) doesn't fit input ${shapeText(shape)}`;
    if (!sameShape(weight.slice(2), kernel))
      return `kernel ${kernel.join('x')} differs from weight ${shapeText(weight)}`;
    const sizes = [0, 1, 2].map((i) =>
      windowLength(shape[i + 1]!, kernel[i]!, stride[i]!, pads[i]!, pads[i + 3]!, dilation[i]!),
    );
    if (sizes.includes(undefined))
      return `a ${kernel.join('x')} window doesn't fit into ${shapeText(shape)} with pads ${pads.join(',')}`;
    return linearResult(inputs[0]!, [weight[0]!, ...(sizes as number[])]);
  },
});

type Three = readonly [number, number, number];

interface Attrs3 {
  readonly kernel: Three;
  readonly stride: Three;
  readonly pads: readonly [number, number, number, number, number, number];
  readonly dilation: Three;
  readonly groups: number;
}

/** [N, C, D, H, W] → [N, C, kd, D', H, W]: what each tap of the depth reads, zeros beyond the border. */
function depthTaps(
  builder: ProgramBuilder,
  x: Value,
  { kernel, stride, pads, dilation }: Attrs3,
  depth: number,
): Value {
  const border = [0, 0, pads[0], 0, 0];
  const behind = [0, 0, pads[3], 0, 0];
  const wide = pads[0] === 0 && pads[3] === 0 ? x : builder.pad(x, border, behind);
  const [n, channels, , height, width] = wide.shape;
  const taps = Array.from({ length: kernel[0] }, (_, k) => {
    const start = k * dilation[0];
    const read = builder.sliceAxis(wide, 2, start, start + (depth - 1) * stride[0] + 1, stride[0]);
    return builder.reshape(read, [n!, channels!, 1, depth, height!, width!]);
  });
  return taps.length === 1 ? taps[0]! : builder.concat(taps, 2);
}
