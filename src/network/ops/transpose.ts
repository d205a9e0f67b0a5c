import { list } from './attributes.js';
import { defineOp } from './define.js';
import { shapeText } from './type-rules.js';

export const transpose = defineOp({
  doc: 'The axes in another order: axis i of the result is axis perm[i], 0 the channels.',
  arity: [1, 1],
  attrs: { perm: list() },
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
  type: ({ inputs, attrs: { perm } }) => {
    const { shape } = inputs[0]!;
    const inOrder = perm.toSorted((a, b) => a - b);
    if (inOrder.length !== shape.length || inOrder.some((axis, i) => axis !== i)) {
      return `[${perm.join(',')}] doesn't permute the axes of ${shapeText(shape)}`;
    }
    return { ...inputs[0]!, shape: perm.map((axis) => shape[axis]!) };
  },
});
