import { elementCount } from '../../base/dtype.js';
import { number } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, shapeText } from './type-rules.js';

export const channelConv = defineOp({
  doc: 'Convolution over the channel axis of [C,1,1] with one kernel of odd length (ECA).',
  arity: [1, 1],
  attrs: { kernel: number() },
  params: ['weight'],
  traits: {
    role: 'mixing',
    weights: 'kernel',
    macs: ({ output, weight }) => elementCount(output) * elementCount(weight),
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  type: ({ inputs }) => {
    const shape = inputs[0]!.shape;
    if (shape.length !== 3 || shape[1] !== 1 || shape[2] !== 1) return `needs a [C,1,1] input, has ${shapeText(shape)}`;
    return linearResult(inputs[0]!, shape);
  },
});
