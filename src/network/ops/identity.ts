import { defineOp } from './define.js';

export const identity = defineOp({
  doc: 'Nothing.',
  arity: [1, 1],
  attrs: {},
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
  lowering: { role: 'moves', act: (_acting, _op, [x]) => x! },
  type: ({ inputs }) => inputs[0]!,
});
