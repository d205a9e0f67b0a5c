import { elementCount } from '../../../base/dtype.js';
import { present } from '../../../base/invariant.js';
import { type Op, windowOf } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { stepsOf } from '../runnable.js';
import type { Timed } from '../trains.js';

/** A value constant in time, repeated for every step. */
export function overTime({ steps, builder }: Lowering, x: Value): Value {
  if (stepsOf(x) === steps) return x;
  return builder.as('repeated').concat(new Array<Value>(steps).fill(x), 0);
}

/** What a neuron fires, or the integer codes that it stands for where its train counts steps of its output. */
export function asCodes(builder: ProgramBuilder, op: Op<'neuron'>, train: Value): Value {
  if (op.attrs.integer_codes !== true) return train;
  return builder.as('codes').round(builder.div(train, present(op.attrs.amplitude, `lower: ${op.id} has no levels`)));
}

/** The train so many steps before, 0 where there were none: y(t) = x(t − n). */
export function lagged(lowering: Lowering, op: Op<'lag'>, x: Value): Value {
  const { builder, steps } = lowering;
  const n = Math.min(op.attrs.steps, steps);
  const nothing = builder.broadcast(builder.scalar('f32', 0), folded(n, op.type.shape));
  if (n === steps) return nothing;
  const before = builder.as('before').sliceAxis(overTime(lowering, x), 0, 0, steps - n);
  return builder.as('train').concat([nothing, before], 0);
}

/** Sums over all steps: y(t) = Σ_k weight[t, k]·x(k) + bias[t]; steps are rows of a matrix. */
export function mixedSteps(lowering: Lowering, op: Op<'mix_steps'>, x: Value): Value {
  const { builder, steps } = lowering;
  const rows = builder.reshape(overTime(lowering, x), [steps, { batch: elementCount(op.type.shape) }]);
  const weight = lowering.realWeight(op, 'weight', 'f32');
  const mixed = builder.as('mixed').matmul(weight, rows);
  const bias =
    op.params['bias'] === undefined ? undefined : builder.reshape(lowering.realWeight(op, 'bias', 'f32'), [steps, 1]);
  const moved = bias === undefined ? mixed : builder.add(mixed, bias);
  return builder.reshape(moved, folded(steps, op.type.shape));
}

/** Running maximum of counts: M_t = max_i Σ_{τ≤t} s_i,τ, s_t = M_t − M_t−1; all steps in one pooling. */
export function maxOfCounts({ builder }: Lowering, op: Op<'maxprefix'>, x: Value): Value {
  const steps = stepsOf(x);
  if (steps === 1) return builder.maxpool(x, windowOf(op.attrs));
  const counts: Value[] = [];
  for (let t = 0; t < steps; t++) {
    const step = builder.step(x, t);
    counts.push(t === 0 ? step : builder.as(`count${t + 1}`).add(counts[t - 1]!, step));
  }
  const most = builder.as('most').maxpool(builder.concat(counts, 0), windowOf(op.attrs));
  const fired: Value[] = [builder.step(most, 0)];
  for (let t = 1; t < steps; t++)
    fired.push(builder.as(`s${t + 1}`).sub(builder.step(most, t), builder.step(most, t - 1)));
  return builder.as('train').concat(fired, 0);
}

/** The steps of a current; a constant is the same at every step. */
export function currentOf(lowering: Lowering, op: Op<'neuron'>, x: Value): Timed {
  const { builder } = lowering;
  const steps = op.attrs.hold ?? lowering.steps;
  const step = (t: number): Value => (stepsOf(x) === 1 ? x : builder.at(op.id).step(x, t));
  return {
    steps,
    whole: () => x,
    take(m, ratio) {
      let first = step(0);
      for (let t = 1; t < m; t++) first = builder.add(ratio === 1 ? first : builder.mul(first, ratio), step(t));
      return [first, ...Array.from({ length: steps - m }, (_, i) => step(m + i))];
    },
  };
}

/** All of a train at its first step, of its mean [N, …]. */
export function atOnce({ builder, steps }: Lowering, { id }: Pick<Op, 'id'>, mean: Value): Timed {
  const all = (): Value => builder.at(id).as('whole').mul(mean, steps);
  const nothing = (): Value => builder.broadcast(builder.scalar('f32', 0), mean.shape);
  return {
    steps,
    whole: () => builder.concat([all(), ...Array.from({ length: steps - 1 }, nothing)], 0),
    take: (m) => [all(), ...Array.from({ length: steps - m }, nothing)],
  };
}
