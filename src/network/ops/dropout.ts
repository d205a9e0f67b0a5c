import { number } from './attributes.js';
import { defineOp } from './define.js';

export const dropout = defineOp({
  doc: 'Drops values at random in training; nothing in inference.',
  arity: [1, 1],
  attrs: { rate: number() },
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: true,
    planewise: false,
    maximum: false,
    monotone: false,
    linear: true,
    accumulates: true,
    reshapes: false,
    activation: false,
    keepsRange: false,
  },
  type: ({ inputs }) => inputs[0]!,
});
