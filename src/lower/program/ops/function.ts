import { present } from '../../../base/invariant.js';
import { type Algebra, type FunctionNumbers, functions, isFunctionName, stringAttr } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { OpLowering } from './op-lowering.js';

/** What functions are made of, as ops of a program. */
function algebraOf(builder: ProgramBuilder): Algebra<Value> {
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

export const functionOp: OpLowering = {
  role: 'values',
  act: ({ builder }, { id, attrs }, [x]) => {
    const name = stringAttr(attrs, 'name');
    const row = present(isFunctionName(name) ? functions[name] : undefined, `lower: ${id} names no function`);
    return row.of(algebraOf(builder), x!, attrs as FunctionNumbers);
  },
};
