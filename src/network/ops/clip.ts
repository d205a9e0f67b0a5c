import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const clip = defineOp({
  doc: 'x held between min and max.',
  arity: [1, 1],
  attrs: { min: number(), max: number() },
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
  bounds: ({ min, max }) => [min, max],
  lowering: { role: 'values', act: ({ builder }, { attrs }, [x]) => builder.clip(x!, attrs.min, attrs.max) },
  type: realResult,
});
