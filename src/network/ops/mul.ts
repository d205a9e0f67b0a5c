import { elementCount } from '../../base/dtype.js';
import { defineOp } from './define.js';
import { multiplied, productAttrs, productTraits, productType } from './train-product.js';
import { sameShape, shapeText } from './type-rules.js';

export const mul = defineOp({
  doc: 'Product of two values; the second may be [C,1,1] (a channel attention). Of two trains a train of their products, exact integers up to 2²⁴. `planes`, `unary`, `on` and `levels`: as in `matmul`.',
  arity: [2, 2],
  attrs: productAttrs,
  params: [],
  traits: { ...productTraits, macs: ({ output }) => elementCount(output) },
  lowering: {
    role: 'product',
    act: ({ builder }, op, operands) => multiplied(builder, op, operands, (a, b) => builder.mul(a, b)),
  },
  type: ({ inputs, attrs }) => {
    const [a, b] = inputs as [(typeof inputs)[number], (typeof inputs)[number]];
    const fits = sameShape(a.shape, b.shape) || (b.shape.slice(1).every((n) => n === 1) && b.shape[0] === a.shape[0]);
    if (!fits) return `operands differ in shape: ${shapeText(a.shape)} and ${shapeText(b.shape)}`;
    return productType([a, b], attrs, a.shape, 1);
  },
});
