import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { realResult } from './type-rules.js';

export const sigmoid = defineOp({
  doc: '1/(1 + e^−x).',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: { ...realTraits, role: 'function' },
  lowering: { role: 'values', act: ({ builder }, _, [x]) => builder.sigmoid(x!) },
  type: realResult,
});
