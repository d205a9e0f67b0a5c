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

export interface LossTerm {
  readonly factor: number;
  readonly loss: LossSpec | FiringLoss | DistillLoss;
  /** Which output of the network it is of; the first where it isn't said. */
  readonly of?: number;
}

/** An output behind the first: its place among them, its name, and what it is compared with. */
export interface OtherOutput {
  readonly output: number;
  readonly name: string;
  readonly labels: 'classes' | 'numbers' | 'input';
}

/** The losses that compare outputs with labels; of one output, where it is named. */
export function taskLosses(loss: TrainingLoss, output?: number): readonly LossSpec[] {
  if (loss.kind !== 'sum') return output === undefined || output === 0 ? [loss] : [];
  const terms = loss.terms.filter(({ of = 0 }) => output === undefined || of === output);
  return terms.flatMap(({ loss: one }) => (one.kind === 'firing' || one.kind === 'distill' ? [] : [one]));
}

/** The factors of an output's losses, added up. */
export function weightOf(loss: TrainingLoss, output: number): number {
  if (loss.kind !== 'sum') return output === 0 ? 1 : 0;
  const terms = loss.terms.filter((term) => term.loss.kind !== 'firing' && (term.of ?? 0) === output);
  return terms.reduce((sum, { factor }) => sum + factor, 0);
}

/** Bins of a side's distance where the loss is that of a detector. */
export function binsOf(loss: TrainingLoss): number | undefined {
  return taskLosses(loss).find((one) => one.kind === 'yolo')?.bins;
}

/** Whether an output (the first where none is named) is logits of numbers from 0 to 1: what it says is σ of it. */
export function givesLogitsOfNumbers(loss: TrainingLoss, output = 0): boolean {
  const losses = taskLosses(loss, output);
  return losses.length > 0 && losses.every(({ kind }) => kind === 'bce');
}

/** The terms that compare outputs with a teacher's. */
export function distillations(loss: TrainingLoss): readonly DistillLoss[] {
  return distillTerms(loss).map(({ distill }) => distill);
}

/** The output that a teacher teaches, where there is one. */
export function taughtOutput(loss: TrainingLoss): number | undefined {
  return distillTerms(loss)[0]?.of;
}

function distillTerms(loss: TrainingLoss): readonly { readonly distill: DistillLoss; readonly of: number }[] {
  if (loss.kind !== 'sum') return [];
  return loss.terms.flatMap(({ loss: one, of = 0 }) => (one.kind === 'distill' ? [{ distill: one, of }] : []));
}

/** What a loss of each step sees, and any other. */
export interface Logits {
  readonly steps: Value;
  readonly read: Value;
}

/** Labels of the samples; with `partner`, those that they are mixed with, whose share is what `share` leaves. */
export interface Truth {
  readonly labels: Value;
  readonly partner?: { readonly labels: Value; readonly share: Value };
  /** What a teacher says, [N, outputs], where a term wants it. */
  readonly teacher?: Value;
}

/** An output of the network and what it is compared with. */
export interface Judged {
  readonly logits: Logits;
  readonly truth: Truth;
}

/** The loss as a scalar; `outputs` by their place in the network, those that have losses. */
export function totalLoss(
  lowering: Lowering,
  carried: Carried,
  loss: TrainingLoss,
  outputs: ReadonlyMap<number, Judged>,
): Value {
  const { builder } = lowering;
  const judgedOf = (output: number): Judged => present(outputs.get(output), `lower: output ${output} has no labels`);
  const task = (one: LossSpec, output: number): Value => {
    const { logits, truth } = judgedOf(output);
    const against = (wanted: Value): Value =>
      lossOf(builder, one, one.kind === 'tet' ? logits.steps : logits.read, wanted);
    const own = against(truth.labels);
    const { partner } = truth;
    if (partner === undefined) return own;
    const rest = builder.mul(against(partner.labels), builder.sub(1, partner.share));
    return builder.as('mixed').add(builder.mul(own, partner.share), rest);
  };
  if (loss.kind !== 'sum') return task(loss, 0);
  const termOf = (one: LossTerm['loss'], output: number): Value => {
    switch (one.kind) {
      case 'firing':
        return firingLoss(lowering, carried, one);
      case 'distill': {
        const { logits, truth } = judgedOf(output);
        const teacher = present(truth.teacher, 'lower: a distillation without a teacher');
        return distillationLoss(builder, one, logits.read, teacher);
      }
      default:
        return task(one, output);
    }
  };
  const terms = loss.terms.map(({ factor, loss: one, of = 0 }) => {
    const value = termOf(one, of);
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
