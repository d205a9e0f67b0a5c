import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const clip = defineOp({
  doc: 'x held between min and max.',
  arity: [1, 1],
  attrs: { min: number(), max: number() },
  params: [],
  type: realResult,
});
