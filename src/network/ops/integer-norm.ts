import { boolean, number } from './attributes.js';
import { defineOp } from './define.js';
import { axisProblem, groupTraits } from './group.js';
import { integerNormOf } from './integer-group.js';
import { realResult } from './type-rules.js';

export const integerNorm = defineOp({
  doc: 'Normalisation of integers along an axis (0 is the channels): ⌊(trunc(c·gamma/σ) + beta)/divisor⌋, c = x − trunc(mean) where it is `centred`, else x, σ = ⌊√(⌊mean of c²⌋ + 1)⌋; gamma and beta one integer a place there.',
  arity: [1, 1],
  attrs: { axis: number(), centred: boolean(), divisor: number() },
  params: ['gamma', 'beta?'],
  fixedParams: () => ['gamma', 'beta'],
  traits: groupTraits,
  lowering: {
    role: 'values',
    act: ({ lowering }, op, [x]) => integerNormOf(lowering, op, x!, { ...op.attrs, axis: op.attrs.axis + 1 }),
  },
  type: (request) => {
    if (!(request.attrs.divisor >= 1)) return `divisor must be 1 or more, is ${request.attrs.divisor}`;
    return axisProblem(request) ?? realResult(request);
  },
});
