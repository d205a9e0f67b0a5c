import { border, number, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { linearResult, sameShape, shapeText, windowShape } from './type-rules.js';
import { onImages } from './window-lowering.js';
import { weightAttrs, weightParams } from './weights.js';
import { perOutput } from './traits.js';
import { synapseTraits } from './row-traits.js';

export const conv = defineOp({
  doc: 'Convolution of [C,H,W], or of [C,L] as an image of one row. ANN: y = w∗x + bias. On spikes: psp = gain ⊙ (w∗s) + bias at every step; w integer where it was quantised. On `planes` binary planes: 2^b·w at plane b, bias at plane 0; on `unary` ones w at each. `weight_bits`: bits of a weight; in training with the step size `weight_step`, learned bits as a parameter with their bound `weight_bits_max`; `weight_step_rule` max: the step size is max |w| over the highest code. `folded_bias`: the bias is only what batch norm left when it was folded, and no cost.',
  arity: [1, 1],
  attrs: {
    kernel: pair(),
    stride: pair(),
    pads: border(),
    dilation: pair(),
    groups: number(),
    ...weightAttrs,
  },
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
    act: onImages(({ builder, weight }, op, [x]) => {
      const { stride, pads, dilation, groups } = op.attrs;
      return builder.conv2d(x!, weight(op), { stride, pads, dilation, groups });
    }),
    gain: 'gain',
    plus: 'bias',
  },
  type: (request) => {
    const weight = request.param('weight')!;
    if (weight.length !== 4) return `weight must be [out,in/groups,kh,kw], is ${shapeText(weight)}`;
    const groups = request.attrs.groups;
    const channels = request.inputs[0]!.shape[0]!;
    if (weight[1]! * groups !== channels || weight[0]! % groups !== 0) {
      return `weight ${shapeText(weight)} with ${groups} group(s) doesn't fit input ${shapeText(request.inputs[0]!.shape)}`;
    }
    if (!sameShape(weight.slice(2), request.attrs.kernel)) {
      return `kernel ${request.attrs.kernel.join('x')} differs from weight ${shapeText(weight)}`;
    }
    const shape = windowShape(request, weight[0]!);
    return typeof shape === 'string' ? shape : linearResult(request.inputs[0]!, shape);
  },
});
