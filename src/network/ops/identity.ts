import { defineOp } from './define.js';

export const identity = defineOp({
  doc: 'Nothing.',
  arity: [1, 1],
  attrs: {},
  params: [],
  type: ({ inputs }) => inputs[0]!,
});
