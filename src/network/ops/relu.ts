import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const relu = defineOp({
  doc: 'max(x, 0).',
  arity: [1, 1],
  attrs: {},
  params: [],
  type: realResult,
});
