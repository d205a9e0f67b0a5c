import { number } from './attributes.js';
import { defineOp } from './define.js';

export const dropout = defineOp({
  doc: 'Drops values at random in training; nothing in inference.',
  arity: [1, 1],
  attrs: { rate: number() },
  params: [],
  type: ({ inputs }) => inputs[0]!,
});
