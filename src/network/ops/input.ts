import { list } from './attributes.js';
import { defineOp } from './define.js';

export const input = defineOp({
  doc: 'What a user feeds: one real image a sample.',
  arity: [0, 0],
  attrs: { shape: list() },
  params: [],
  traits: {
    role: 'input',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: false,
    linear: false,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'time' },
  type: ({ attrs }) => ({ shape: attrs.shape, code: { kind: 'real' } }),
});
