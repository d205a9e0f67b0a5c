import { moved } from './moved.js';
import { elementCount } from '../../base/dtype.js';
import { list } from './attributes.js';
import { defineOp } from './define.js';
import { shapeText } from './type-rules.js';
import { rearrangingTraits } from './row-traits.js';

export const reshape = defineOp({
  doc: 'The same values in another shape.',
  arity: [1, 1],
  attrs: { shape: list() },
  params: [],
  traits: rearrangingTraits,
  lowering: moved,
  type: ({ inputs, attrs }) => {
    const shape = attrs.shape;
    if (elementCount(shape) !== elementCount(inputs[0]!.shape)) {
      return `can't reshape ${shapeText(inputs[0]!.shape)} to ${shapeText(shape)}`;
    }
    return { ...inputs[0]!, shape };
  },
});
