import type { NodeContext } from '../context.js';
import type { RealValue } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { applied, negative } from './function.js';
import { greatestOf, reducedSum } from './pool.js';

/** Sums of a function of each value, and a function of the sum; the least value is the greatest of −x. */
export const reductionOps: OnnxOpTable = {
  ReduceL1: reduction({ each: (c, x) => applied(c, 'abs', x, {}, 'magnitudes') }),
  ReduceL2: reduction({ each: squares, whole: (c, x) => applied(c, 'sqrt', x) }),
  ReduceSumSquare: reduction({ each: squares }),
  ReduceLogSum: reduction({ whole: (c, x) => applied(c, 'log', x) }),
  ReduceLogSumExp: reduction({
    each: (c, x) => applied(c, 'exp', x, {}, 'exponentials'),
    whole: (c, x) => applied(c, 'log', x),
  }),
  ReduceMin: {
    inputs: [1, 2],
    run: (c) => [negative(c, greatestOf(c, negative(c, c.realInAnyLayout(0), 'negative'), undefined))],
  },
};

type Step = (context: NodeContext, x: RealValue) => RealValue;

function reduction({ each, whole }: { readonly each?: Step; readonly whole?: Step }): OnnxOpTable[string] {
  return {
    inputs: [1, 2],
    run: (context) => {
      const given = context.realInAnyLayout(0);
      const x = each === undefined ? given : each(context, given);
      return [whole === undefined ? reducedSum(context, x) : whole(context, reducedSum(context, x, 'sum'))];
    },
  };
}

function squares(context: NodeContext, x: RealValue): RealValue {
  return applied(context, 'pow', x, { alpha: 2 }, 'squares');
}
