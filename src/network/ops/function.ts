import { invariant } from '../../base/invariant.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';
import { type Algebra, functionNames, functions, isFunctionName } from '../functions.js';
import { number, optional, string } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { realResult } from './type-rules.js';

export const functionOp = defineOp({
  doc: `A function of each value by itself: \`name\` is one of ${functionNames.join(', ')} (src/network/functions.ts).`,
  arity: [1, 1],
  attrs: { name: string(), alpha: optional(number()), beta: optional(number()) },
  params: [],
  traits: { ...realTraits, role: 'function' },
  lowering: {
    role: 'values',
    act: ({ builder }, { id, attrs }, [x]) => {
      const { name } = attrs;
      invariant(isFunctionName(name), `lower: ${id} names no function`);
      return functions[name].of(algebraOf(builder), x!, attrs);
    },
  },
  type: (request) => {
    const { name } = request.attrs;
    return isFunctionName(name) ? realResult(request) : `names an unknown function ${name}`;
  },
});

/** What functions are made of, as ops of a program. */
export function algebraOf(builder: ProgramBuilder): Algebra<Value> {
  return {
    add: (a, b) => builder.add(a, b),
    sub: (a, b) => builder.sub(a, b),
    mul: (a, b) => builder.mul(a, b),
    div: (a, b) => builder.div(a, b),
    pow: (a, b) => builder.pow(a, b),
    min: (a, b) => builder.min(a, b),
    max: (a, b) => builder.max(a, b),
    abs: (a) => builder.abs(a),
    sign: (a) => builder.sign(a),
    floor: (a) => builder.floor(a),
    round: (a) => builder.round(a),
    exp: (a) => builder.exp(a),
    log: (a) => builder.log(a),
    sqrt: (a) => builder.sqrt(a),
    tanh: (a) => builder.tanh(a),
    sigmoid: (a) => builder.sigmoid(a),
    positive: (x, a, b) => builder.select(builder.gt(x, 0), a, b),
  };
}
