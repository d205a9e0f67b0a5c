import { number, optional, word } from './attributes.js';
import { defineOp } from './define.js';
import { axisProblem, groupTraits } from './group.js';
import { integerSoftmaxOf, softmaxForms } from './integer-group.js';
import { tableProblem } from './table.js';
import { realResult } from './type-rules.js';

export const integerSoftmax = defineOp({
  doc: 'Softmax of integers along an axis (0 is the channels), of powers p(d) = levels[#{t ≤ d}] of the distance d from the greatest: `quotients` ⌊p·count/Σp⌋; `inverse` ⌊⌊count·p(0)/Σp⌋·p/p(0)⌋; `partial` the same with the sum of groups of `width` in a row, in which a greater maximum makes the sum so far smaller.',
  arity: [1, 1],
  attrs: { axis: number(), form: word(softmaxForms), count: number(), width: optional(number()) },
  params: ['thresholds', 'levels'],
  fixedParams: () => ['thresholds', 'levels'],
  traits: groupTraits,
  lowering: {
    role: 'values',
    act: ({ lowering }, op, [x]) => integerSoftmaxOf(lowering, op, x!, { ...op.attrs, axis: op.attrs.axis + 1 }),
  },
  type: (request) => {
    const { attrs, param } = request;
    if (attrs.form === 'partial' && !(attrs.width !== undefined && attrs.width >= 1))
      return 'needs a width of 1 or more';
    return axisProblem(request) ?? tableProblem(param('thresholds'), param('levels')) ?? realResult(request);
  },
});
