import { stepParameter } from '../../equations/index.js';
import { type Network, type Op, fixedParamsOf } from '../../network/index.js';
import {
  type Dim,
  type LossSpec,
  type ProgramBuilder,
  type Value,
  absoluteError,
  correctCount,
  numbersOfObject,
} from '../../tensor/index.js';
import type { Carried } from './carriers/index.js';
import { type BitPenalty, regularised } from './bit-penalty.js';
import { type LowerOptions, begin, finished } from './lower.js';
import { type Runnable, outputNames } from './runnable.js';
import {
  type Judged,
  type Logits,
  type OtherOutput,
  type TrainingLoss,
  givesLogitsOfNumbers,
  taskLosses,
  taughtOutput,
  totalLoss,
} from './training-loss.js';

export interface TrainableRunnable extends Runnable {
  /** Params to train: weights, biases, γ, β, learnable parameters of neurons. */
  readonly learned: readonly string[];
  /** Param → value after the step: running statistics of batch norms. */
  readonly replace: Readonly<Record<string, string>>;
}

const training = { precision: 'f32', trainable: true } as const;

interface TrainingOptions extends Pick<LowerOptions, 'unroll'> {
  /** What labels are: classes where it isn't said. */
  readonly labels?: 'classes' | 'numbers' | 'boxes';
  /** Boxes that a sample's labels have. */
  readonly objects?: number;
  /** Samples are mixed with others: there are inputs for the classes of these, and for the share that is left. */
  readonly mixed?: boolean;
  /** Outputs behind the first that are compared with something. */
  readonly others?: readonly OtherOutput[];
}

/**
 * The forward pass of training, f32: inputs are images, i32 labels [N] and random numbers;
 * outputs `loss` (a scalar) and `correct` (how many predictions of the mean logits are right). Labels that are numbers are
 * f32 [N, outputs]; the second output is then `error` (Σ over the samples of the mean absolute error; with `bce` that of σ of the outputs). Labels that
 * are boxes are f32 [N, objects · 5], and there is no second output. Other outputs of the network have inputs and outputs of their own,
 * with their names.
 */
export function lowerForTraining(
  network: Network,
  loss: TrainingLoss,
  penalties: readonly BitPenalty[] = [],
  { labels: labelKind = 'classes', objects = 16, mixed = false, others = [], ...options }: TrainingOptions = {},
): TrainableRunnable {
  const begun = begin(network, { ...training, ...options }, 'train');
  const { lowering, carried, outputs } = begun;
  const { builder } = lowering;
  const compared: readonly ComparedOutput[] = [
    { output: 0, numbers: labelKind !== 'classes' },
    ...others.map(({ output, name, labels }) => ({ output, name, numbers: labels !== 'classes' })),
  ];
  const logits = compared.map(({ output }) => logitsOf(carried, network.outputs[output]!, taskLosses(loss, output)));
  builder.at(undefined);
  const share = mixed ? builder.input(outputNames.share, 'f32', []) : undefined;
  const taught = taughtOutput(loss);
  const judged = new Map<number, Judged>();
  compared.forEach((one, i) => {
    const { output, name } = one;
    const width = logits[i]!.read.shape[1]!;
    const labelled = output === 0 && labelKind === 'boxes' ? numbersOfObject * objects : width;
    const labels = labelsInput(builder, outputNames.labelsOf(name), one.numbers, labelled);
    const partner =
      share === undefined || one.numbers
        ? undefined
        : { labels: labelsInput(builder, outputNames.partnersOf(name), false, width), share };
    const teacher = taught === output ? builder.input(outputNames.teacher, 'f32', [{ batch: 1 }, width]) : undefined;
    const truth = { labels, ...(partner && { partner }), ...(teacher && { teacher }) };
    judged.set(output, { logits: logits[i]!, truth });
  });
  const task = totalLoss(lowering, carried, loss, judged);
  outputs.output(outputNames.loss, regularised(lowering, task, penalties));
  for (const { output, name, numbers } of compared) {
    const { logits: { read }, truth: { labels } } = judged.get(output)!; // prettier-ignore
    if (output === 0 && labelKind === 'boxes') continue;
    if (numbers) {
      const said = givesLogitsOfNumbers(loss, output) ? builder.sigmoid(read) : read;
      outputs.output(outputNames.errorOf(name), absoluteError(builder, said, labels));
    } else outputs.output(outputNames.correctOf(name), correctCount(builder, read, labels));
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

interface ComparedOutput {
  readonly output: number;
  /** Of those behind the first. */
  readonly name?: string;
  readonly numbers: boolean;
}

/** A loss of each step sees the steps, any other what is read out of them. */
function logitsOf(carried: Carried, output: string, losses: readonly LossSpec[]): Logits {
  const readsSteps = (carried.readOutOf?.(output) ?? 'mean') === 'mean';
  const read = readsSteps ? carried.logits(output) : carried.output(output);
  const steps = losses.some(({ kind }) => kind === 'tet') ? carried.logits(output) : read;
  return { read, steps };
}

/** Classes [N], or numbers [N, width]. */
function labelsInput(builder: ProgramBuilder, id: string, numbers: boolean, width: Dim): Value {
  return numbers ? builder.input(id, 'f32', [{ batch: 1 }, width]) : builder.input(id, 'i32', [{ batch: 1 }]);
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
