import { moved } from './moved.js';
import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';
import { rearrangingTraits } from './row-traits.js';

export const flatten = defineOp({
  doc: 'All axes into one, row-major: [C,H,W] → [C·H·W].',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: rearrangingTraits,
  lowering: moved,
  type: ({ inputs }) => ({ ...inputs[0]!, shape: [elementCount(inputs[0]!.shape)] }),
});
