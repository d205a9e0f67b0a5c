import { defineOp } from './define.js';

export const identity = defineOp({
  doc: 'Nothing.',
  arity: [1, 1],
  attrs: {},
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
