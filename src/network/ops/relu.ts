import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const relu = defineOp({
  doc: 'max(x, 0).',
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
    monotone: true,
    linear: false,
    accumulates: false,
    reshapes: false,
    activation: true,
    keepsRange: false,
  },
  type: realResult,
});
