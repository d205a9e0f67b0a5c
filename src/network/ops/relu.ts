import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const relu = defineOp({
  doc: 'max(x, 0).',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: {
    role: 'bound',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: true,
    linear: false,
    accumulates: false,
    keepsRange: false,
    padding: 'none',
  },
  bounds: () => [0, Infinity],
  lowering: { role: 'values', act: ({ builder }, _, [x]) => builder.max(x!, 0) },
  type: realResult,
});
