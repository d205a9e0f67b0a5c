import { elementCount, tensor } from '../../base/dtype.js';
import { stepParameter } from '../../equations/index.js';
import { present } from '../../base/invariant.js';
import { type Network, type Op, numberAttr } from '../../network/index.js';
import { type LossSpec, type Program, type Value, correctCount, lossOf } from '../../tensor/index.js';
import { folded } from './context.js';
import { countedTrain } from './bits.js';
import { decoded, encoded } from './carriers/codings.js';
import { LayersLowering, type RandomInput, stepsOf } from './layers-context.js';
import { type BitKind, type BitPenalty, regularised } from './bit-penalty.js';
import { lowerLayer } from './carriers/means.js';
import { onesOf } from './carriers/planes.js';
import { stepSizes } from './step-sizes.js';

export type { Mode, RandomInput } from './layers-context.js';
export { type BitHolder, type BitKind, type BitPenalty, bitKinds, bitHolders, learnedBitsOf } from './bit-penalty.js';

/** Names of the programs' inputs and outputs that aren't layers. */
export const layerNames = {
  labels: 'labels',
  loss: 'loss',
  correct: 'correct',
  /** With learned bits: the loss without their penalties, and a penalty. */
  task: 'loss.task',
  penalty: (kind: BitKind): string => `loss.${kind}`,
  logits: '0',
  /** [N, 2]: spikes fired, and spikes times fan-out. */
  counts: (id: string): string => `counts ${id}`,
  /** [N, …shape] or [TN, …shape]: the input current of a layer of neurons. */
  current: (id: string): string => `current ${id}`,
  /** [TN, …shape]: what a layer gives at every step. */
  train: (id: string): string => `train ${id}`,
  /** [TN, …shape]: a layer's membranes when it fires, at every step. */
  membranes: (id: string): string => `membranes ${id}`,
  /** [TN, …shape]: what they are compared with, of layers that say so. */
  thresholds: (id: string): string => `thresholds ${id}`,
  /** [N, classes]: the mean of the logits over the first steps. */
  early: (steps: number): string => `mean of ${steps}`,
} as const;

export interface LayersProgram {
  readonly program: Program;
  /** Id of the input for images: [N, …shape], for `events` [TN, …shape]. */
  readonly image: string;
  /** Steps of the images' time axis: 1, for `events` T. */
  readonly imageSteps: number;
  readonly randoms: readonly RandomInput[];
}

export interface TrainableProgram extends LayersProgram {
  /** Params to train: weights, biases, γ, β, learnable parameters of neurons. */
  readonly learned: readonly string[];
  /** Param → value after the step: running statistics of batch norms. */
  readonly replace: Readonly<Record<string, string>>;
}

export interface InferenceOptions {
  /** Fan-out of each neuron of a layer; with it every layer of neurons counts its spikes, unless it is empty. */
  readonly fanOut?: (id: string) => Float64Array;
  /** A spike counts as the ones of its integer code, each a spike of a binary plane, and not as its level. */
  readonly ones?: boolean;
  /** Parameters stay parameters under their own names, so that the caller can feed them. */
  readonly trainable?: boolean;
  /** Which layers give out their trains. */
  readonly trains?: (id: string) => boolean;
  /** These layers of neurons give out their membranes and thresholds. */
  readonly membranes?: readonly string[];
  /** Also the mean logits over so many first steps. */
  readonly early?: readonly number[];
}

/** Steps of a network's coding; 1 for a network without time. */
export function stepsOfNetwork(network: Network): number {
  const encoder = network.ops.find((op) => op.kind === 'encode');
  return encoder === undefined ? 1 : numberAttr(encoder.attrs, 'steps');
}

/**
 * The forward pass of training, f32: inputs are images, i32 labels [N] and random numbers;
 * outputs `loss` (a scalar) and `correct` (how many predictions of the mean logits are right).
 */
export function lowerForTraining(
  network: Network,
  loss: LossSpec,
  penalties: readonly BitPenalty[] = [],
): TrainableProgram {
  const lowering = new LayersLowering(network, 'train', stepsOfNetwork(network), { precision: 'f32', trainable: true });
  const base = lower(lowering, (logits) => {
    const { builder } = lowering;
    builder.at(undefined);
    const labels = builder.input(layerNames.labels, 'i32', [{ batch: 1 }]);
    const task = lossOf(builder, loss, logits, labels);
    builder.output(layerNames.loss, regularised(lowering, task, penalties));
    builder.output(layerNames.correct, correctCount(builder, logits, labels));
  });
  const learned = new Set(network.ops.flatMap(learnedParams));
  return { ...base, learned: [...learned], replace: lowering.replace };
}

/** The forward pass of training as far as neurons with a learned step size, whose input currents are its outputs. */
export function lowerForObservation(network: Network): LayersProgram {
  const lowering = new LayersLowering(network, 'train', stepsOfNetwork(network), { precision: 'f32', trainable: true });
  return lower(
    lowering,
    () => undefined,
    (op) => {
      if (op.kind !== 'neuron') return;
      const role = stepParameter(network.neurons.get(String(op.attrs['neuron'])));
      if (role === undefined || op.params[role] === undefined) return;
      lowering.builder.output(layerNames.current(op.id), lowering.timedValue(op.inputs[0]!));
    },
  );
}

/** The forward pass with running statistics; output `0` is the mean of the logits over time, [N, classes]. */
export function lowerForInference(network: Network, options: InferenceOptions = {}): LayersProgram {
  const { trainable = false } = options;
  const traced = new Set(options.membranes ?? []);
  const precision = { precision: 'f32', trainable } as const;
  const lowering = new LayersLowering(network, 'infer', stepsOfNetwork(network), precision, traced);
  return lower(
    lowering,
    (logits) => {
      lowering.builder.output(layerNames.logits, decoded(lowering, logits));
      for (const steps of options.early ?? []) {
        lowering.builder.output(layerNames.early(steps), meanOfFirst(lowering, logits, steps));
      }
    },
    (op, value) => {
      if (options.trains?.(op.id) === true) lowering.builder.output(layerNames.train(op.id), value);
      for (const name of ['membranes', 'thresholds'] as const) {
        const values = lowering[name].get(op.id);
        if (values !== undefined) lowering.builder.output(layerNames[name](op.id), values);
      }
      if (!firing.has(op.kind) || stepSizes(network, op.id) === undefined) return;
      const fanOut = options.fanOut?.(op.id) ?? [];
      if (fanOut.length === 0) return;
      lowering.builder.output(layerNames.counts(op.id), counts(lowering, op, value, fanOut, options.ones));
    },
  );
}

/** Ops whose spikes are counted. */
const firing: ReadonlySet<string> = new Set(['neuron', 'squeeze', 'maxprefix', 'maxpool']);

function meanOfFirst(lowering: LayersLowering, logits: Value, steps: number): Value {
  if (stepsOf(logits) === 1) return logits;
  return decoded(lowering, lowering.builder.sliceAxis(logits, 0, 0, steps));
}

const constantRoles: Readonly<Record<string, readonly string[]>> = {
  batchnorm: ['mean', 'variance'],
  affine: ['scale', 'shift'],
};

/** Parameters of an op that training changes by gradient. */
function learnedParams(op: Op): readonly string[] {
  const constant = constantRoles[op.kind] ?? [];
  return Object.entries(op.params).flatMap(([role, name]) => (constant.includes(role) ? [] : [name]));
}

function lower(
  lowering: LayersLowering,
  finish: (logits: Value) => void,
  probe: (op: Op, value: Value) => void = () => undefined,
): LayersProgram {
  const { network, builder, values } = lowering;
  const events = network.ops.some((op) => op.kind === 'encode' && op.attrs['coding'] === 'events');
  const imageSteps = events ? lowering.steps : 1;
  let output: Value | undefined;
  for (const op of network.ops) {
    if (op.kind === 'input') values.set(op.id, builder.input(op.id, 'f32', folded(imageSteps, op.type.shape)));
    else if (op.kind === 'encode') values.set(op.id, encoded(lowering, op, lowering.timedValue(op.inputs[0]!)));
    else if (op.kind === 'decode') values.set(op.id, lowering.timedValue(op.inputs[0]!));
    else values.set(op.id, lowerLayer(lowering, op));
    probe(op, lowering.timedValue(op.id));
    if (op.id === network.outputs[0]) output = lowering.timedValue(op.id);
  }
  const logits = present(output, `lower: ${network.name} has no output`);
  builder.at(network.outputs[0]);
  const classes = logits.shape.slice(1).reduce<number>((product, n) => product * (n as number), 1);
  finish(builder.reshape(logits, folded(stepsOf(logits), [classes])));
  const image = present(
    network.ops.find((op) => op.kind === 'input'),
    `lower: ${network.name} has no input`,
  ).id;
  return { program: builder.build(), image, imageSteps, randoms: lowering.randoms };
}

/** Step sizes of a maximum over joined or summed trains, [1, C, 1, 1]. */
function channelSteps({ builder, network }: LayersLowering, op: Op): Value {
  const steps = present(stepSizes(network, op.id), `lower: ${op.id} has no step sizes`);
  return builder.as('step_sizes').constant(tensor('f32', [1, steps.length, 1, 1], Float32Array.from(steps)));
}

/** [N, 2]: spikes (in levels, or the ones of codes) of each sample over all steps, and the same times fan-out. */
function counts(lowering: LayersLowering, op: Op, train: Value, fanOut: ArrayLike<number>, ones = false): Value {
  const { builder, network } = lowering;
  const { code, shape } = op.type;
  const steps = stepsOf(train);
  builder.at(op.id);
  const role = op.kind === 'neuron' ? stepParameter(network.neurons.get(String(op.attrs['neuron']))) : undefined;
  const learned = role === undefined ? undefined : lowering.perChannel(op, role, 'f32', shape.length);
  const amplitude = learned ?? (code.kind === 'spike' ? code.step : channelSteps(lowering, op));
  const counted = countedTrain(lowering, op, train, steps);
  const levels = builder.abs(amplitude === 1 ? counted : builder.div(counted, amplitude));
  const columns = new Float32Array(fanOut.length * 2);
  for (let i = 0; i < fanOut.length; i++) columns.set([1, fanOut[i]!], 2 * i);
  const counting = ones && code.kind === 'spike' ? onesOf(lowering, levels, code) : levels;
  const flat = builder.reshape(counting, folded(steps, [elementCount(shape)]));
  const perStep = builder.matmul(flat, builder.as('fan_out').constant(tensor('f32', [fanOut.length, 2], columns)));
  return builder.as('counts').sum(builder.reshape(perStep, [steps, { batch: 1 }, 2]), [0]);
}
