import { stepParameter } from '../../equations/index.js';
import { type Network, type Op, fixedParamsOf } from '../../network/index.js';
import { absoluteError, correctCount } from '../../tensor/index.js';
import { type BitPenalty, regularised } from './bit-penalty.js';
import { type LowerOptions, begin, finished } from './lower.js';
import { type Runnable, outputNames } from './runnable.js';
import { type TrainingLoss, distillations, givesLogitsOfNumbers, taskLosses, totalLoss } from './training-loss.js';

export interface TrainableRunnable extends Runnable {
  /** Params to train: weights, biases, γ, β, learnable parameters of neurons. */
  readonly learned: readonly string[];
  /** Param → value after the step: running statistics of batch norms. */
  readonly replace: Readonly<Record<string, string>>;
}

const training = { precision: 'f32', trainable: true } as const;

interface TrainingOptions extends Pick<LowerOptions, 'unroll'> {
  /** What labels are: classes where it isn't said. */
  readonly labels?: 'classes' | 'numbers';
  /** Samples are mixed with others: there are inputs for the classes of these, and for the share that is left. */
  readonly mixed?: boolean;
}

/**
 * The forward pass of training, f32: inputs are images, i32 labels [N] and random numbers;
 * outputs `loss` (a scalar) and `correct` (how many predictions of the mean logits are right). Labels that are numbers are
 * f32 [N, outputs]; the second output is then `error` (Σ over the samples of the mean absolute error; with `bce` that of σ of the outputs).
 */
export function lowerForTraining(
  network: Network,
  loss: TrainingLoss,
  penalties: readonly BitPenalty[] = [],
  { labels: labelKind = 'classes', mixed = false, ...options }: TrainingOptions = {},
): TrainableRunnable {
  const begun = begin(network, { ...training, ...options }, 'train');
  const { lowering, carried, outputs } = begun;
  const { builder } = lowering;
  const [output] = network.outputs as [string];
  // a loss of each step sees the steps, any other what is read out of them
  const readsSteps = (carried.readOutOf?.(output) ?? 'mean') === 'mean';
  const read = readsSteps ? carried.logits(output) : carried.output(output);
  const steps = taskLosses(loss).some(({ kind }) => kind === 'tet') ? carried.logits(output) : read;
  builder.at(undefined);
  const labels =
    labelKind === 'classes'
      ? builder.input(outputNames.labels, 'i32', [{ batch: 1 }])
      : builder.input(outputNames.labels, 'f32', [{ batch: 1 }, read.shape[1]!]);
  const partner = mixed
    ? {
        labels: builder.input(outputNames.partners, 'i32', [{ batch: 1 }]),
        share: builder.input(outputNames.share, 'f32', []),
      }
    : undefined;
  const teacher =
    distillations(loss).length === 0
      ? undefined
      : builder.input(outputNames.teacher, 'f32', [{ batch: 1 }, read.shape[1]!]);
  const task = totalLoss(
    lowering,
    carried,
    loss,
    { steps, read },
    {
      labels,
      ...(partner && { partner }),
      ...(teacher && { teacher }),
    },
  );
  outputs.output(outputNames.loss, regularised(lowering, task, penalties));
  if (labelKind === 'classes') outputs.output(outputNames.correct, correctCount(builder, read, labels));
  else {
    const said = givesLogitsOfNumbers(loss) ? builder.sigmoid(read) : read;
    outputs.output(outputNames.error, absoluteError(builder, said, labels));
  }
  const learned = new Set(network.ops.flatMap(learnedParams));
  return {
    ...finished(begun, {
      loss: outputNames.loss,
      ...(labelKind === 'classes' ? { correct: outputNames.correct } : {}),
    }),
    learned: [...learned],
    replace: lowering.replace,
  };
}

/** The forward pass of training as far as neurons with a learned step size, whose input currents are its outputs. */
export function lowerForObservation(network: Network): Runnable {
  const observed = new Set(
    network.ops.flatMap((op) => {
      if (op.kind !== 'neuron') return [];
      const role = stepParameter(network.neurons.get(op.attrs.neuron));
      return role !== undefined && op.params[role] !== undefined ? [op.id] : [];
    }),
  );
  const begun = begin(network, { ...training, probes: { currents: (id) => observed.has(id) } }, 'train');
  return finished(begun, {});
}

/** Parameters of an op that training changes by gradient. */
function learnedParams(op: Op): readonly string[] {
  const fixedParams = fixedParamsOf(op);
  return Object.entries(op.params).flatMap(([role, name]) => (fixedParams.includes(role) ? [] : [name]));
}
