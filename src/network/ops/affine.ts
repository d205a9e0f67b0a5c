import { boolean, number, optional, word } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';
import { synapseTraits } from './row-traits.js';

export const affine = defineOp({
  doc: 'Element-wise synapse: y = x·scale + shift; scale and shift per channel (axis 0 unless `axis` says another) or scalar. On spikes: one synapse a neuron. On `planes`: as conv. `learned`: training changes both, or the shift alone; without it they are given.',
  arity: [1, 1],
  attrs: {
    planes: optional(number()),
    unary: optional(boolean()),
    axis: optional(number()),
    learned: optional(word(['both', 'shift'])),
  },
  params: ['scale', 'shift?'],
  fixedParams: ({ learned }) => (learned === undefined ? ['scale', 'shift'] : learned === 'shift' ? ['scale'] : []),
  traits: {
    ...synapseTraits,
    role: 'scaling',
    weights: 'elements',
  },
  channelAxis: ({ axis = 0 }) => axis,
  lowering: { role: 'synapse', gain: 'scale', plus: 'shift' },
  type: ({ inputs, attrs: { axis = 0 }, param }) => {
    const shape = inputs[0]!.shape;
    const channels = shape[axis];
    if (channels === undefined) return `${shapeText(shape)} has no axis ${axis}`;
    for (const role of ['scale', 'shift']) {
      const size = param(role);
      if (
        size !== undefined &&
        !(size.length === 1 && (size[0] === 1 || size[0] === channels)) &&
        !sameShape(size, shape)
      ) {
        return `${role} ${shapeText(size)} fits neither the ${channels} channels nor ${shapeText(shape)}`;
      }
    }
    return linearResult(inputs[0]!, shape);
  },
});
