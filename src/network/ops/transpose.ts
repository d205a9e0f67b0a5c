import { list } from './attributes.js';
import { defineOp } from './define.js';
import { shapeText } from './type-rules.js';
import { rearrangingTraits } from './row-traits.js';

export const transpose = defineOp({
  doc: 'The axes in another order: axis i of the result is axis perm[i], 0 the channels.',
  arity: [1, 1],
  attrs: { perm: list() },
  params: [],
  traits: rearrangingTraits,
  source: ({ perm }, shape, at) => shape.map((_, axis) => at[perm.indexOf(axis)]!),
  lowering: {
    role: 'moves',
    // the batch, with the time steps in it, stays in front
    act: ({ builder }, { attrs: { perm } }, [x]) => builder.transpose(x!, [0, ...perm.map((axis) => axis + 1)]),
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
