import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { realResult } from './type-rules.js';

export const relu = defineOp({
  doc: 'max(x, 0).',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: { ...realTraits, role: 'bound', monotone: true },
  bounds: () => [0, Infinity],
  lowering: { role: 'values', act: ({ builder }, _, [x]) => builder.max(x!, 0) },
  type: realResult,
});
