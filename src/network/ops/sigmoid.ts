import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const sigmoid = defineOp({
  doc: '1/(1 + e^−x).',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: false,
    planewise: false,
    maximum: false,
    monotone: false,
    linear: false,
    accumulates: false,
    reshapes: false,
    activation: true,
    keepsRange: false,
  },
  type: realResult,
});
