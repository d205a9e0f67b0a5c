import { stepParameter } from '../../equations/index.js';
import { type Network, type Op, opDef } from '../../network/index.js';
import { type LossSpec, correctCount, lossOf } from '../../tensor/index.js';
import { type BitPenalty, regularised } from './bit-penalty.js';
import { type LowerOptions, begin, finished } from './lower.js';
import { type Runnable, outputNames } from './runnable.js';

export interface TrainableRunnable extends Runnable {
  /** Params to train: weights, biases, γ, β, learnable parameters of neurons. */
  readonly learned: readonly string[];
  /** Param → value after the step: running statistics of batch norms. */
  readonly replace: Readonly<Record<string, string>>;
}

const training = { precision: 'f32', trainable: true } as const;

/**
 * The forward pass of training, f32: inputs are images, i32 labels [N] and random numbers;
 * outputs `loss` (a scalar) and `correct` (how many predictions of the mean logits are right).
 */
export function lowerForTraining(
  network: Network,
  loss: LossSpec,
  penalties: readonly BitPenalty[] = [],
  options: Pick<LowerOptions, 'unroll'> = {},
): TrainableRunnable {
  const begun = begin(network, { ...training, ...options }, 'train');
  const { lowering, carried, outputs } = begun;
  const { builder } = lowering;
  const [output] = network.outputs as [string];
  // a loss of each step sees the steps, any other what is read out of them
  const readsSteps = (carried.readOutOf?.(output) ?? 'mean') === 'mean';
  const read = readsSteps ? carried.logits(output) : carried.output(output);
  const logits = loss.kind === 'tet' ? carried.logits(output) : read;
  builder.at(undefined);
  const labels = builder.input(outputNames.labels, 'i32', [{ batch: 1 }]);
  const task = lossOf(builder, loss, logits, labels);
  outputs.output(outputNames.loss, regularised(lowering, task, penalties));
  outputs.output(outputNames.correct, correctCount(builder, read, labels));
  const learned = new Set(network.ops.flatMap(learnedParams));
  return {
    ...finished(begun, { loss: outputNames.loss, correct: outputNames.correct }),
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
  const { fixedParams = [] } = opDef(op.kind);
  return Object.entries(op.params).flatMap(([role, name]) => (fixedParams.includes(role) ? [] : [name]));
}
