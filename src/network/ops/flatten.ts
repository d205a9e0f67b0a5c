import { moved } from './moved.js';
import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';

export const flatten = defineOp({
  doc: 'All axes into one, row-major: [C,H,W] → [C·H·W].',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: {
    role: 'reshape',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'passed',
    relays: true,
    planewise: true,
    monotone: true,
    linear: true,
    accumulates: true,
    keepsRange: true,
    padding: 'none',
  },
  lowering: moved,
  type: ({ inputs }) => ({ ...inputs[0]!, shape: [elementCount(inputs[0]!.shape)] }),
});
