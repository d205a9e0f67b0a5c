import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';

export const add = defineOp({
  doc: 'Sum of two values of one shape, at the same time.',
  arity: [2, 2],
  attrs: {},
  params: [],
  traits: {
    role: 'sum',
    weights: 'none',
    macs: 'none',
    join: true,
    fires: 'none',
    reach: 'passed-or-own',
    relays: true,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'join', act: ({ builder }, _, [a, b]) => builder.add(a!, b!) },
  type: ({ inputs: [a, b] }) => {
    if (!sameShape(a!.shape, b!.shape))
      return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    return linearResult(a!, a!.shape);
  },
});
