import { elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type Op, isFiringLayer } from '../../network/index.js';
import { type LossSpec, type Value, distillationLoss, lossOf } from '../../tensor/index.js';
import type { Carried } from './carriers/carrier.js';
import type { Lowering } from './context.js';
import { stepsOf } from './runnable.js';

/** Mean over the layers that fire of (r − target)², r the layer's mean spike (in levels) of a neuron and step. */
export interface FiringLoss {
  readonly kind: 'firing';
  readonly target: number;
}

/** Knowledge distillation from a teacher, whose outputs the step is fed. */
export interface DistillLoss {
  readonly kind: 'distill';
  /** The teacher's ONNX file. */
  readonly teacher: string;
  readonly temperature: number;
}

/** What a training makes small: one loss, or several, each times a factor. */
export type TrainingLoss = LossSpec | { readonly kind: 'sum'; readonly terms: readonly LossTerm[] };

interface LossTerm {
  readonly factor: number;
  readonly loss: LossSpec | FiringLoss | DistillLoss;
}

/** The losses that compare outputs with labels. */
export function taskLosses(loss: TrainingLoss): readonly LossSpec[] {
  if (loss.kind !== 'sum') return [loss];
  return loss.terms.flatMap(({ loss: one }) => (one.kind === 'firing' || one.kind === 'distill' ? [] : [one]));
}

/** Whether outputs are logits of numbers from 0 to 1, so that what they say is σ of them. */
export function givesLogitsOfNumbers(loss: TrainingLoss): boolean {
  const losses = taskLosses(loss);
  return losses.length > 0 && losses.every(({ kind }) => kind === 'bce');
}

/** The terms that compare outputs with a teacher's. */
export function distillations(loss: TrainingLoss): readonly DistillLoss[] {
  if (loss.kind !== 'sum') return [];
  return loss.terms.flatMap(({ loss: one }) => (one.kind === 'distill' ? [one] : []));
}

/** What a loss of each step sees, and any other. */
export interface Logits {
  readonly steps: Value;
  readonly read: Value;
}

/** What the outputs are compared with; of samples that are mixed with a partner, its labels too, by shares. */
export interface Truth {
  readonly labels: Value;
  readonly partner?: { readonly labels: Value; readonly share: Value };
  /** What a teacher says, [N, outputs], where a term wants it. */
  readonly teacher?: Value;
}

/** The loss as a scalar. */
export function totalLoss(
  lowering: Lowering,
  carried: Carried,
  loss: TrainingLoss,
  logits: Logits,
  { labels, partner, teacher }: Truth,
): Value {
  const { builder } = lowering;
  const against = (one: LossSpec, wanted: Value): Value =>
    lossOf(builder, one, one.kind === 'tet' ? logits.steps : logits.read, wanted);
  const task = (one: LossSpec): Value => {
    const own = against(one, labels);
    if (partner === undefined) return own;
    const rest = builder.mul(against(one, partner.labels), builder.sub(1, partner.share));
    return builder.as('mixed').add(builder.mul(own, partner.share), rest);
  };
  if (loss.kind !== 'sum') return task(loss);
  const termOf = (one: LossSpec | FiringLoss | DistillLoss): Value => {
    switch (one.kind) {
      case 'firing':
        return firingLoss(lowering, carried, one);
      case 'distill':
        return distillationLoss(builder, one, logits.read, present(teacher, 'lower: a distillation without a teacher'));
      default:
        return task(one);
    }
  };
  const terms = loss.terms.map(({ factor, loss: one }) => {
    const value = termOf(one);
    return factor === 1 ? value : builder.mul(value, factor);
  });
  return terms.reduce((sum, term) => builder.as('loss').add(sum, term));
}

function firingLoss(lowering: Lowering, carried: Carried, { target }: FiringLoss): Value {
  const { builder, network } = lowering;
  const layers = network.ops.filter(isFiringLayer);
  const squares = layers.map((op) => {
    const away = builder.sub(firingRate(lowering, carried, op), target);
    return builder.mul(away, away);
  });
  builder.at(undefined);
  if (squares.length === 0) return builder.scalar('f32', 0);
  return builder.as('firing').mul(
    squares.reduce((sum, one) => builder.add(sum, one)),
    1 / squares.length,
  );
}

/** Levels that a neuron of a layer fires in a step, the mean over neurons, steps and samples. */
function firingRate({ builder }: Lowering, carried: Carried, op: Op): Value {
  const train = present(carried.train(op), `lower: ${op.id} gives no train`);
  const { code, shape } = op.type;
  const step = code.kind === 'spike' ? code.step : 1;
  builder.at(op.id);
  const values = elementCount(shape) * stepsOf(train) * step;
  return builder.as('rate').mul(builder.div(builder.sumAll(builder.abs(train)), builder.batchSize('f32')), 1 / values);
}
