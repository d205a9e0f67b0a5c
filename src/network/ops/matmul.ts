import { boolean } from './attributes.js';
import { defineOp } from './define.js';
import { multiplied, productAttrs, productTraits, productType } from './train-product.js';
import { matrixProductShape } from './type-rules.js';

export const matmul = defineOp({
  doc: 'Matrix product of two values at the same steps, over their last two axes: a [.., m, k], b [.., k, n], with `transpose` [.., n, k]; axes before are equal. Of two trains: exact counts, k·levels·levels of them; beyond 2²⁴, where float32 has no exact integers, a potential. With `planes` the operand `on` (0 or 1) comes as so many binary planes a step (`unary`: ones that count alike) of codes in `levels`: Σ_b 2^b·(A_b·B) adds values of the other operand alone.',
  arity: [2, 2],
  attrs: { transpose: boolean(), ...productAttrs },
  params: [],
  traits: {
    ...productTraits,
    // [.., m, n] of k products each; k is the first operand's last axis
    macs: ({ input, output }) => output.reduce((all, n) => all * n, input.at(-1)!),
  },
  lowering: {
    role: 'product',
    act: ({ builder }, op, operands) =>
      multiplied(builder, op, operands, (a, b) => builder.matmul(a, b, { transB: op.attrs.transpose })),
  },
  type: ({ inputs, attrs }) => {
    const [a, b] = inputs as [(typeof inputs)[number], (typeof inputs)[number]];
    const shape = matrixProductShape(a.shape, b.shape, attrs.transpose);
    return typeof shape === 'string' ? shape : productType([a, b], attrs, shape, a.shape.at(-1)!);
  },
});
