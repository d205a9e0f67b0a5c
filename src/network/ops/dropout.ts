import { number } from './attributes.js';
import { defineOp } from './define.js';

export const dropout = defineOp({
  doc: 'Drops values at random in training; nothing in inference.',
  arity: [1, 1],
  attrs: { rate: number() },
  params: [],
  traits: {
    role: 'same',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'passed',
    relays: true,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  type: ({ inputs }) => inputs[0]!,
});
