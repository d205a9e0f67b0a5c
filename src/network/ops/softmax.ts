import { number } from './attributes.js';
import { defineOp } from './define.js';
import { axisProblem, groupTraits, softmaxOf } from './group.js';
import { realResult } from './type-rules.js';

export const softmax = defineOp({
  doc: 'e^x over the sum of these along an axis; `axis` 0 is the channels.',
  arity: [1, 1],
  attrs: { axis: number() },
  params: [],
  traits: groupTraits,
  lowering: { role: 'values', act: ({ builder }, { attrs }, [x]) => softmaxOf(builder, x!, attrs.axis + 1) },
  type: (request) => axisProblem(request) ?? realResult(request),
});
