import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';

export const flatten = defineOp({
  doc: 'All axes into one, row-major: [C,H,W] → [C·H·W].',
  arity: [1, 1],
  attrs: {},
  params: [],
  type: ({ inputs }) => ({ ...inputs[0]!, shape: [elementCount(inputs[0]!.shape)] }),
});
