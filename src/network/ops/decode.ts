import { number, optional, string } from './attributes.js';
import { defineOp } from './define.js';

export const decode = defineOp({
  doc: 'Read-out: sws: Σ β^(Tc−k)·z(k); otherwise the mean over the steps.',
  arity: [1, 1],
  attrs: { coding: string(), beta: optional(number()) },
  params: [],
  traits: {
    role: 'read-out',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'time' },
  type: ({ inputs }) => {
    if (inputs[0]!.time === undefined) return 'needs an input with time steps';
    return { shape: inputs[0]!.shape, code: { kind: 'real' } };
  },
});
