import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';

export const flatten = defineOp({
  doc: 'All axes into one, row-major: [C,H,W] → [C·H·W].',
  arity: [1, 1],
  attrs: {},
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: true,
    planewise: true,
    maximum: false,
    monotone: true,
    linear: true,
    accumulates: true,
    reshapes: true,
    activation: false,
    keepsRange: true,
  },
  type: ({ inputs }) => ({ ...inputs[0]!, shape: [elementCount(inputs[0]!.shape)] }),
});
