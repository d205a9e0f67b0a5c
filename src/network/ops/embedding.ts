import { elementCount, tensor } from '../../base/dtype.js';
import { folded, stepsOf } from '../../tensor/index.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { linearResult, shapeText } from './type-rules.js';

export const embedding = defineOp({
  doc: 'A learned row for each value, which is a whole number from 0: y[…, f] = weight[x[…], f]; zeros for any other number.',
  arity: [1, 1],
  attrs: {},
  params: ['weight'],
  traits: { ...realTraits, role: 'group-function' },
  lowering: {
    role: 'values',
    // by a row of ones and zeros, whose product every engine has and which has a gradient to the weight
    act: ({ builder, dtype, weight }, op, [x]) => {
      const rows = weight(op);
      const [words] = rows.shape as [number];
      const [steps, count] = [stepsOf(x!), elementCount(op.type.shape.slice(0, -1))];
      const ids = builder.constant(
        tensor(
          dtype,
          [1, words],
          Array.from({ length: words }, (_, i) => i),
        ),
      );
      const each = builder.reshape(x!, folded(steps * count, [1]));
      const oneHot = builder.cast(builder.eq(each, ids), dtype);
      return builder.reshape(builder.matmul(oneHot, rows), folded(steps, op.type.shape));
    },
  },
  type: ({ inputs: [x], param }) => {
    const weight = param('weight')!;
    if (weight.length !== 2) return `weight must be [words,features], is ${shapeText(weight)}`;
    return linearResult(x!, [...x!.shape, weight[1]!]);
  },
});
