import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const clip = defineOp({
  doc: 'x held between min and max.',
  arity: [1, 1],
  attrs: { min: number(), max: number() },
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
