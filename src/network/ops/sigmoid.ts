import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const sigmoid = defineOp({
  doc: '1/(1 + e^−x).',
  arity: [1, 1],
  attrs: {},
  params: [],
  type: realResult,
});
