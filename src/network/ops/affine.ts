import { boolean, number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';

export const affine = defineOp({
  doc: 'Element-wise synapse: y = x·scale + shift; scale and shift per channel or scalar. On spikes: one synapse a neuron. On `planes`: as conv.',
  arity: [1, 1],
  attrs: { planes: optional(number()), unary: optional(boolean()) },
  params: ['scale', 'shift?'],
  fixedParams: ['scale', 'shift'],
  traits: {
    role: 'scaling',
    weights: 'elements',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'own',
    relays: false,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'synapse', gain: 'scale', plus: 'shift' },
  type: ({ inputs, param }) => {
    const shape = inputs[0]!.shape;
    for (const role of ['scale', 'shift']) {
      const size = param(role);
      if (
        size !== undefined &&
        !(size.length === 1 && (size[0] === 1 || size[0] === shape[0])) &&
        !sameShape(size, shape)
      ) {
        return `${role} ${shapeText(size)} fits neither the ${shape[0]} channels nor ${shapeText(shape)}`;
      }
    }
    return linearResult(inputs[0]!, shape);
  },
});
