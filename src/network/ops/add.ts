import { boolean, optional } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText, summedCode, withTime } from './type-rules.js';
import { relayTraits } from './row-traits.js';

export const add = defineOp({
  doc: 'Sum of two values of one shape, at the same time. Of two trains of one step a train with more levels. `codes`: that train is sent in planes of its own, after one addition a spike.',
  arity: [2, 2],
  attrs: { codes: optional(boolean()) },
  params: [],
  traits: { ...relayTraits, role: 'sum', join: true, reach: 'passed-or-own' },
  lowering: { role: 'join', act: ({ builder }, _, [a, b]) => builder.add(a!, b!) },
  type: ({ inputs: [a, b], attrs }) => {
    if (!sameShape(a!.shape, b!.shape))
      return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    const code = summedCode(a!.code, b!.code);
    if (code !== undefined) return withTime({ shape: a!.shape, code }, a!.time);
    return attrs.codes === true ? 'needs two trains of one step to have codes' : linearResult(a!, a!.shape);
  },
});
