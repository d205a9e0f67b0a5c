import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type TrainableRunnable, lowerForTraining } from '../lower/program/index.js';
import { withAverages } from './averages.js';
import { type Network, type Op, consumersOf, traitsOf } from '../network/index.js';
import { type TrainingStep, recomputing, trainingStep } from '../tensor/index.js';
import { constraintsOf, withConstraints } from './constraints.js';
import { mixes } from './mixing.js';
import type { TrainSettings } from './settings.js';

/** A network with its training step, one program: forward, backward, optimiser. */
export interface Trainee {
  readonly network: Network;
  readonly lowered: TrainableRunnable;
  readonly step: TrainingStep;
}

/** What the training step follows from, beside the network. */
export type StepSettings = Pick<
  TrainSettings,
  'loss' | 'labels' | 'objects' | 'others' | 'optimizer' | 'clip' | 'frozen' | 'factors' | 'average' | 'bits' | 'memory'
> &
  Partial<Pick<TrainSettings, 'augment'>>;

/**
 * Derives the training step. Parameters of neurons, step sizes and bits don't decay: a threshold has no reason to
 * shrink to 0.
 */
export function traineeOf(network: Network, settings: StepSettings): Trainee {
  const { bits, factors, average, others = [] } = settings;
  const labels = labelsOf(settings);
  const lowered = lowerForTraining(network, settings.loss, bits?.penalties, {
    labels,
    ...(settings.objects === undefined ? {} : { objects: settings.objects }),
    mixed: mixes(settings.augment) && (labels === 'classes' || others.some((one) => one.labels === 'classes')),
    others,
  });
  const undecayed = undecayedParams(network);
  const step = trainingStep(lowered.program, {
    loss: 'loss',
    train: lowered.learned.filter((id) => settings.frozen?.includes(id) !== true),
    optimizer: settings.optimizer,
    ...(settings.clip === undefined ? {} : { clip: settings.clip }),
    replace: lowered.replace,
    decayFactor: (id) => (undecayed.has(id) ? 0 : (factors?.[id]?.decay ?? 1)),
    rateFactor: (id) => (bits?.rateFactors[id] ?? 1) * (factors?.[id]?.rate ?? 1),
  });
  const held = withConstraints(step, constraintsOf(network));
  const whole = average === undefined ? held : withAverages(held, network, average);
  const low = settings.memory === 'low';
  return { network, lowered, step: low ? { ...whole, program: recomputing(whole.program, 'loss') } : whole };
}

/** What labels are to a program. */
function labelsOf({ labels }: StepSettings): 'classes' | 'numbers' | 'boxes' {
  return labels === undefined ? 'classes' : labels === 'input' ? 'numbers' : labels;
}

/** The parameters that weight decay leaves alone. */
export function undecayedParams(network: Network): ReadonlySet<string> {
  return new Set(network.ops.flatMap(withoutDecay));
}

/** Parameters of equations, bits and step sizes: no weights that should be small. */
function withoutDecay(op: Op): readonly string[] {
  const { params } = op;
  if (traitsOf(op).fires !== 'none') return Object.values(params);
  return [params['weight_step'], params['weight_bits']].filter((name) => name !== undefined);
}

/** Weights that no gradient reaches, one report per neuron (or layer) that is to blame. */
export function withoutGradient({ network, step }: Trainee): readonly Diagnostic[] {
  const blamed = new Map<string, { op: Op; params: string[] }>();
  for (const param of step.unreached) {
    const owner = network.ops.find((op) => Object.values(op.params).includes(param))!;
    const op = blockingNeuron(network, owner) ?? owner;
    const known = blamed.get(op.id);
    if (known === undefined) blamed.set(op.id, { op, params: [param] });
    else known.params.push(param);
  }
  return [...blamed.values()].map(({ op, params }) => {
    const neuron = op.kind === 'neuron' ? op.attrs.neuron : '';
    const surrogate = network.neurons.get(neuron)?.surrogate;
    const help =
      neuron !== '' && surrogate === undefined
        ? `give the neuron ${neuron} a surrogate: \`surrogate triangle(width: 1)\``
        : 'let the output depend on it by something else than comparisons and roundings without a surrogate';
    return diagnostic('train/no-gradient', { layer: op.id, neuron, params }, op.place, { help });
  });
}

/** The last neuron without a surrogate between an op and the output; the op itself where it is one. */
function blockingNeuron(network: Network, from: Op): Op | undefined {
  const consumers = consumersOf(network);
  const pending = [from];
  const seen = new Set<string>();
  let found: Op | undefined;
  for (let op = pending.shift(); op !== undefined; op = pending.shift()) {
    if (seen.has(op.id)) continue;
    seen.add(op.id);
    if (op.kind === 'neuron' && network.neurons.get(op.attrs.neuron)?.surrogate === undefined) found ??= op;
    pending.push(...(consumers.get(op.id) ?? []));
  }
  return found;
}
