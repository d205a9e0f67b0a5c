import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const sigmoid = defineOp({
  doc: '1/(1 + e^−x).',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: {
    role: 'function',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: false,
    linear: false,
    accumulates: false,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'values', act: ({ builder }, _, [x]) => builder.sigmoid(x!) },
  type: realResult,
});
