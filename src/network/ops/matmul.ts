import { boolean } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, matrixProductShape, productLevels, withTime } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const matmul = defineOp({
  doc: 'Matrix product of two values at the same steps, over their last two axes: a [.., m, k], b [.., k, n], with `transpose` [.., n, k]; axes before are equal. Of two trains: exact counts, k·levels·levels of them; beyond 2²⁴, where float32 has no exact integers, a potential.',
  arity: [2, 2],
  attrs: { transpose: boolean() },
  params: [],
  traits: {
    ...realTraits,
    role: 'product',
    // [.., m, n] of k products each; k is the first operand's last axis
    macs: ({ input, output }) => output.reduce((all, n) => all * n, input.at(-1)!),
    join: true,
    reach: 'own',
  },
  lowering: {
    role: 'product',
    act: ({ builder }, { attrs }, [a, b]) => builder.matmul(a!, b!, { transB: attrs.transpose }),
  },
  type: ({ inputs: [a, b], attrs: { transpose } }) => {
    const shape = matrixProductShape(a!.shape, b!.shape, transpose);
    if (typeof shape === 'string') return shape;
    if (a!.code.kind !== 'spike' || b!.code.kind !== 'spike') return linearResult(a!, shape);
    return withTime({ shape, code: productLevels(a!.code, b!.code, a!.shape.at(-1)!) }, a!.time);
  },
});
