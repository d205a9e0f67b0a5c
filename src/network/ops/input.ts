import { list } from './attributes.js';
import { defineOp } from './define.js';

export const input = defineOp({
  doc: 'What a user feeds: one real image a sample.',
  arity: [0, 0],
  attrs: { shape: list() },
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
    accumulates: true,
    reshapes: false,
    activation: false,
    keepsRange: false,
  },
  type: ({ attrs }) => ({ shape: attrs.shape, code: { kind: 'real' } }),
});
