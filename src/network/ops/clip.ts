import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { realResult } from './type-rules.js';

export const clip = defineOp({
  doc: 'x held between min and max.',
  arity: [1, 1],
  attrs: { min: number(), max: number() },
  params: [],
  traits: { ...realTraits, role: 'bound', monotone: true },
  bounds: ({ min, max }) => [min, max],
  lowering: { role: 'values', act: ({ builder }, { attrs }, [x]) => builder.clip(x!, attrs.min, attrs.max) },
  type: realResult,
});
