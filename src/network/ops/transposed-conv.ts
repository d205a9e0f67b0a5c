import { elementCount } from '../../base/dtype.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';
import { border, number, pair } from './attributes.js';
import { defineOp } from './define.js';
import { scattered, scatteredLength } from './geometry.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';
import { weightAttrs, weightParams } from './weights.js';
import { synapseTraits } from './row-traits.js';

export const transposedConv = defineOp({
  doc: 'Transposed convolution, the transpose of a convolution as a matrix: input position i adds tap k of its kernel at output position i·stride + k·dilation − pad; pads = top, left, bottom, right are cut off, `output_padding` rows and columns stand at the end. Weight [out, in/groups, kh, kw], as that of a convolution with its results. On spikes, `planes`, `weight_bits` and `folded_bias`: as conv.',
  arity: [1, 1],
  attrs: {
    kernel: pair(),
    stride: pair(),
    pads: border(),
    dilation: pair(),
    output_padding: pair(),
    groups: number(),
    ...weightAttrs,
  },
  params: weightParams,
  traits: {
    ...synapseTraits,
    role: 'weighted',
    // every input is weighed once for each tap and output of its group
    macs: ({ input, weight }) => elementCount(input.slice(1)) * elementCount(weight),
  },
  links: scattered,
  lowering: {
    role: 'synapse',
    act: ({ builder, weight }, op, [x]) => {
      const { stride, pads, dilation, groups } = op.attrs;
      const [out, ...input] = op.type.shape as [number, ...number[]];
      const byInput = transposed(builder, weight(op), out, groups);
      return builder.conv2dInputGrad(byInput, x!, { stride, pads, dilation, groups, input });
    },
    gain: 'gain',
    plus: 'bias',
  },
  type: ({ inputs, attrs, param }) => {
    const weight = param('weight')!;
    const { kernel, stride, output_padding: extra, groups } = attrs;
    const { shape } = inputs[0]!;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    if (weight.length !== 4) return `weight must be [out,in/groups,kh,kw], is ${shapeText(weight)}`;
    if (weight[1]! * groups !== shape[0]! || weight[0]! % groups !== 0) {
      return `weight ${shapeText(weight)} with ${groups} group(s) doesn't fit input ${shapeText(shape)}`;
    }
    if (!sameShape(weight.slice(2), kernel))
      return `kernel ${kernel.join('x')} differs from weight ${shapeText(weight)}`;
    if (extra.some((n, axis) => !(n >= 0 && n < stride[axis]!))) {
      return `output_padding ${extra.join(',')} must be smaller than its stride ${stride.join(',')}`;
    }
    const [height, width] = [scatteredLength(attrs, 0, shape[1]!), scatteredLength(attrs, 1, shape[2]!)];
    if (height < 1 || width < 1) return `its pads ${attrs.pads.join(',')} cut everything off`;
    return linearResult(inputs[0]!, [weight[0]!, height, width]);
  },
});

/** [out, in/groups, kh, kw] → [in, out/groups, kh, kw]: the weight of the convolution whose transpose it is. */
function transposed(builder: ProgramBuilder, weight: Value, out: number, groups: number): Value {
  if (groups === 1) return builder.transpose(weight, [1, 0, 2, 3]);
  const [, within, kh, kw] = weight.shape as [number, number, number, number];
  const grouped = builder.reshape(weight, [groups, out / groups, within, kh * kw]);
  return builder.reshape(builder.transpose(grouped, [0, 2, 1, 3]), [groups * within, out / groups, kh, kw]);
}
