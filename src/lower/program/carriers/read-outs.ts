import type { ReadOutKind } from '../../../base/read-outs.js';
import { type ProgramBuilder, type Value, meanOverTime } from '../../../tensor/index.js';
import { stepsOf } from '../runnable.js';

/** [TN, values] → [N, values]. */
export type ReadOut = (builder: ProgramBuilder, x: Value) => Value;

/** [TN, values] as [T, N, values]. */
function unfolded(builder: ProgramBuilder, x: Value): Value {
  const [, ...shape] = x.shape;
  return builder.reshape(x, [stepsOf(x), { batch: 1 }, ...shape]);
}

/** What is read of values over T time steps: their mean, their sum, the last, the greatest. */
export const readOutTable: Readonly<Record<ReadOutKind, ReadOut>> = {
  mean: meanOverTime,
  sum: (builder, x) => builder.sum(unfolded(builder, x), [0]),
  last: (builder, x) => builder.step(x, stepsOf(x) - 1),
  max: (builder, x) => builder.reduceMax(unfolded(builder, x), [0]),
};
