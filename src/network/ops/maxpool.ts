import { border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { poolShape } from './type-rules.js';

export const maxpool = defineOp({
  doc: 'Maximum over windows; padding never wins. On binary spikes the maximum is their OR.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border() },
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'chosen',
    relays: false,
    planewise: false,
    maximum: true,
    monotone: true,
    linear: false,
    accumulates: false,
    reshapes: false,
    activation: false,
    keepsRange: true,
  },
  type: (request) => {
    const shape = poolShape(request);
    return typeof shape === 'string' ? shape : { ...request.inputs[0]!, shape };
  },
});
