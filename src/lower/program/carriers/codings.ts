import { InvariantError } from '../../../base/invariant.js';
import { type Op, stringAttr } from '../../../network/index.js';
import { type Value, meanOverTime } from '../../../tensor/index.js';
import { folded } from '../context.js';
import { type LayersLowering, stepsOf } from '../layers-context.js';

/**
 * The input over time (docs/language.md, codings). `direct`: constant in time. `rate`: 1 with probability x at
 * every step, x held in [0, 1]; its uniform numbers [TN, …shape] are fed. `events`: the frames
 * as they are; the program's input is [TN, …shape].
 */
export function encoded(lowering: LayersLowering, op: Op, x: Value): Value {
  const { builder } = lowering;
  const coding = stringAttr(op.attrs, 'coding');
  switch (coding) {
    case 'direct':
    case 'events':
      return x;
    case 'rate': {
      const shape = folded(lowering.steps, op.type.shape);
      const uniform = lowering.random({ id: `${op.id}.uniform`, shape, kind: 'uniform', rate: 0 });
      builder.at(op.id);
      return builder.cast(builder.lt(uniform, overTime(lowering, x)), 'f32');
    }
    default:
      throw new InvariantError(`lower: no encoder for coding ${coding} in a network of layers`);
  }
}

/** A value constant in time, repeated for every step. */
export function overTime(lowering: LayersLowering, x: Value): Value {
  const { steps, builder } = lowering;
  if (stepsOf(x) === steps) return x;
  return builder.as('repeated').concat(new Array<Value>(steps).fill(x), 0);
}

/** The mean over the steps: [TN, classes] → [N, classes]. */
export function decoded(lowering: LayersLowering, x: Value): Value {
  return stepsOf(x) === 1 ? x : meanOverTime(lowering.builder, x);
}
