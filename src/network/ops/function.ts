import { functionNames, isFunctionName } from '../functions.js';
import { number, optional, string } from './attributes.js';
import { defineOp } from './define.js';
import { realResult } from './type-rules.js';

export const functionOp = defineOp({
  doc: `A function of each value by itself: \`name\` is one of ${functionNames.join(', ')} (src/network/functions.ts).`,
  arity: [1, 1],
  attrs: { name: string(), alpha: optional(number()), beta: optional(number()) },
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: false,
    planewise: false,
    maximum: false,
    monotone: false,
    linear: false,
    accumulates: false,
    reshapes: false,
    activation: true,
    keepsRange: false,
  },
  type: (request) => {
    const { name } = request.attrs;
    return isFunctionName(name) ? realResult(request) : `names an unknown function ${name}`;
  },
});
