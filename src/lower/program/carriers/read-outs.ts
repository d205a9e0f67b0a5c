import { tensor } from '../../../base/dtype.js';
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

/** A spike at step t counts T + 1 − t, the greatest is the first; 0 where there is none. */
function firstSpike(builder: ProgramBuilder, x: Value): Value {
  const steps = stepsOf(x);
  const apart = unfolded(builder, x);
  const left = Float32Array.from({ length: steps }, (_, t) => steps - t);
  const shape = [steps, ...new Array<number>(apart.shape.length - 1).fill(1)];
  return builder.reduceMax(builder.mul(apart, builder.as('left').constant(tensor('f32', shape, left))), [0]);
}

/** What is read of values over T time steps: their mean, their sum, the last, the greatest, how early the first spike comes. */
export const readOutTable: Readonly<Record<ReadOutKind, ReadOut>> = {
  mean: meanOverTime,
  sum: (builder, x) => builder.sum(unfolded(builder, x), [0]),
  last: (builder, x) => builder.step(x, stepsOf(x) - 1),
  max: (builder, x) => builder.reduceMax(unfolded(builder, x), [0]),
  first_spike: firstSpike,
  // of membranes, which the layer of neurons gives beside its spikes
  membrane: (builder, x) => builder.step(x, stepsOf(x) - 1),
};
