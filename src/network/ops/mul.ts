import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const mul = defineOp({
  doc: 'Product of two values; the second may be [C,1,1] (a channel attention).',
  arity: [2, 2],
  attrs: {},
  params: [],
  traits: {
    ...realTraits,
    role: 'product',
    macs: ({ output }) => elementCount(output),
    join: true,
  },
  lowering: { role: 'product', act: ({ builder }, _, [a, b]) => builder.mul(a!, b!) },
  type: ({ inputs: [a, b] }) => {
    const fits =
      sameShape(a!.shape, b!.shape) || (b!.shape.slice(1).every((n) => n === 1) && b!.shape[0] === a!.shape[0]);
    if (!fits) return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    return linearResult(a!, a!.shape);
  },
});
