import { fail } from '../base/diagnostics/index.js';
import type { Layout, Normalisation } from '../data/index.js';
import { closest, instead } from '../base/did-you-mean.js';
import type { Config, NetworkOutput, Normalize, TrainValues } from '../model/index.js';
import {
  type DistillLoss,
  type FiringLoss,
  type OtherOutput,
  type TrainingLoss,
  binsOf,
  distillations,
  taskLosses,
} from '../lower/program/index.js';
import {
  type LossSpec,
  type OptimizerSpec,
  detectionClasses,
  detectionPlaces,
  detectionStrides,
  needsClasses,
} from '../tensor/index.js';
import type { ScheduleSpec, TrainSettings } from '../train/index.js';
import { augmentOf } from './augmentation.js';
import { type Sizes, sizesOf } from './own-sizes.js';

/** What the command line says in place of the config. */
export interface TrainOverrides {
  /** Data set by name, in place of the config's. */
  readonly data?: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly batch?: number;
  /** A run or compiled folder whose weights are the first ones, where names and shapes are the same. */
  readonly from?: string;
  /** Learning rate, in place of the optimiser's. */
  readonly rate?: number;
  /** As `memory low` of the config. */
  readonly lowMemory?: boolean;
}

/** The settings of a config's `train { … }`, and the data set's name. */
export function trainSettings(
  config: Config,
  overrides: TrainOverrides,
  sizes: Sizes = sizesOf(config),
): { settings: Omit<TrainSettings, 'bits'>; data: string; layout?: Layout; usualLoss: boolean } {
  const missing = (name: string, help?: string): never =>
    fail('train/setting-missing', { config: config.name, name }, config.place, { help });
  if (config.train === undefined) {
    return missing('`train { … }`', 'for example `train { data mnist  optimizer adam(lr: 1e-3)  epochs 5 }`');
  }
  const said = config.train.settings;
  const data = overrides.data ?? said.data ?? missing('`data`');
  const optimizer = said.optimizer ?? missing('`optimizer`');
  const limit = overrides.limit ?? said.limit;
  const task = saidLoss(config, sizes);
  const settings: Omit<TrainSettings, 'bits'> = {
    optimizer: optimizerOf(optimizer),
    rate: overrides.rate ?? optimizer.args.lr,
    schedule: scheduleOf(said.schedule),
    loss: task.loss,
    ...labelsOf(task),
    ...(task.others.length === 0 ? {} : { others: task.others }),
    augment: augmentOf(said.augment ?? [], config, sizes),
    normalisation: normalisationOf(said.normalize ?? config.normalize),
    ...(said.normalize?.name === 'measured' ? { measures: true } : {}),
    batch: overrides.batch ?? said.batch,
    ...(overrides.lowMemory === true || said.memory === 'low' ? { memory: 'low' } : {}),
    ...(said.clip === undefined ? {} : { clip: { kind: said.clip.name, max: said.clip.args.max } }),
    ...averageOf(config),
    epochs: overrides.epochs ?? said.epochs,
    seed: overrides.seed ?? said.seed,
    validation: said.validation,
    ...(limit === undefined ? {} : { limit }),
    ...(said.early_stop === undefined ? {} : { patience: said.early_stop.args.epochs }),
  };
  return {
    settings,
    usualLoss: task.usual,
    data: data.includes(':') ? data : `${data}:train`,
    ...(said.layout === undefined ? {} : { layout: said.layout }),
  };
}

export function optimizerOf({ name, args }: NonNullable<TrainValues['optimizer']>): OptimizerSpec {
  const { weight_decay: weightDecay } = args;
  if (name === 'sgd') return { kind: name, momentum: args.momentum, nesterov: args.nesterov, weightDecay };
  return { kind: name, beta1: args.beta1, beta2: args.beta2, epsilon: args.epsilon, weightDecay };
}

function scheduleOf(schedule: TrainValues['schedule']): ScheduleSpec {
  switch (schedule?.name) {
    case undefined:
      return { kind: 'constant', warmup: 0 };
    case 'constant':
      return { kind: 'constant', warmup: schedule.args.warmup };
    case 'step':
      return { kind: 'step', warmup: schedule.args.warmup, every: schedule.args.every, gamma: schedule.args.gamma };
    case 'milestones':
      return { kind: 'milestones', ...schedule.args };
    case 'plateau':
      return { kind: 'plateau', ...schedule.args };
    case 'one_cycle':
      return { kind: 'one_cycle', ...schedule.args };
    case 'cosine':
      return { kind: 'cosine', warmup: schedule.args.warmup, min: schedule.args.min };
  }
}

/** Of classes, or of the input itself; of several outputs each its own. */
function usualLoss(others: readonly OtherOutput[], mirrored: boolean): TrainingLoss {
  const first: LossSpec = { kind: mirrored ? 'mse' : 'cross_entropy' };
  if (others.length === 0) return first;
  const rest = others.map(({ output, labels }) => {
    const loss: LossSpec = { kind: labels === 'classes' ? 'cross_entropy' : 'mse' };
    return { factor: 1, loss, of: output };
  });
  return { kind: 'sum', terms: [{ factor: 1, loss: first }, ...rest] };
}

type WrittenTerm = NonNullable<TrainValues['loss']>[number];

/** What a config makes small, and what it compares with what. */
export interface SaidLoss {
  readonly loss: TrainingLoss;
  /** It says none: it is what the labels want. */
  readonly usual: boolean;
  /** The first output is compared with the input itself. */
  readonly mirrored: boolean;
  readonly others: readonly OtherOutput[];
}

export function saidLoss(config: Config, sizes: Sizes = sizesOf(config)): SaidLoss {
  const { network, train } = config;
  const { loss: written = [], target } = train?.settings ?? {};
  const outputs = network.kind === 'network' ? network.outputs : [];
  const terms = written.map((one) => ({ ...one, of: outputIn(outputs, one) }));
  const mirrored = (output: number): boolean => {
    const compared = terms.filter(({ of, term }) => of === output && term.name !== 'firing' && 'target' in term.args);
    const [own] = compared;
    const differs = compared.find(({ term }) => toInput(term) !== toInput(own!.term));
    if (differs !== undefined) {
      const problem = `the losses of \`${outputs[output]?.name}\` compare it with labels and with the input`;
      fail('model/conflict', { problem }, differs.term.place, { help: 'an output is compared with one of them' });
    }
    return (own !== undefined && toInput(own.term)) || (output === 0 && target === 'reconstruction');
  };
  const others = outputs.slice(1).map(({ name }, i): OtherOutput => {
    const output = i + 1;
    const kinds = terms.filter(({ of }) => of === output).map(({ term }) => term.name);
    const labels = mirrored(output) ? 'input' : kinds.every(needsClassesBy) ? 'classes' : 'numbers';
    return { output, name, labels };
  });
  const first = mirrored(0);
  if (written.length === 0) return { loss: usualLoss(others, first), usual: true, mirrored: first, others };
  outputs.forEach(({ name, place }, output) => {
    const has = terms.some(({ of, term }) => of === output && term.name !== 'firing');
    if (!has && outputs.length > 1)
      fail('train/output-without-loss', { output: name }, written[0]!.term.place, {
        related: [{ place, message: 'the output' }],
      });
  });
  return { loss: lossOf(terms, config, sizes), usual: false, mirrored: first, others };
}

/** Names of the outputs that are compared with the input. */
export function reconstructed(others: readonly OtherOutput[] = []): readonly string[] {
  return others.flatMap(({ name, labels }) => (labels === 'input' ? [name] : []));
}

function toInput({ args }: WrittenTerm['term']): boolean {
  return 'target' in args && args.target === 'reconstruction';
}

/** Losses of classes alone; the others compare with numbers, or with classes where the data has them. */
function needsClassesBy(kind: WrittenTerm['term']['name']): boolean {
  return kind === 'distill' || needsClasses({ kind });
}

/** Which output a term names, the first where it names none. */
function outputIn(outputs: readonly NetworkOutput[], { term: { args, place } }: WrittenTerm): number {
  const name = 'of' in args ? args.of : undefined;
  if (name === undefined) return 0;
  const at = outputs.findIndex((output) => output.name === name);
  if (at !== -1) return at;
  const names = outputs.map((output) => output.name);
  const near = closest(name, names);
  const help = near === undefined ? `the network has ${names.join(', ')}` : instead(near);
  return fail('model/unknown-name', { kind: 'output', name }, place, { help });
}

/** Losses with their factors; one by itself is that loss. */
function lossOf(
  written: readonly (WrittenTerm & { readonly of: number })[],
  config: Config,
  sizes: Sizes,
): TrainingLoss {
  for (const { term, of } of written) refuseWeights(term, sizes.outputs[of]);
  const terms = written.map(({ factor, term, of }) => ({
    factor,
    loss: termOf(term, config, sizes),
    ...(of > 0 ? { of } : {}),
  }));
  const [only] = terms;
  if (
    only !== undefined &&
    terms.length === 1 &&
    only.factor === 1 &&
    only.loss.kind !== 'firing' &&
    only.loss.kind !== 'distill'
  )
    return only.loss;
  const sum = { kind: 'sum', terms } as const;
  const detector = written.find(({ term }) => term.name === 'yolo');
  if (detector !== undefined && taskLosses(sum).length + distillations(sum).length > 1)
    fail(
      'model/conflict',
      { problem: '`yolo` compares boxes, and the other losses classes or numbers' },
      detector.term.place,
    );
  const [, second] = distillations(sum);
  if (second !== undefined) {
    const problem = 'there is more than one `distill` in `loss`';
    fail('model/conflict', { problem }, written[0]!.term.place, { help: 'a training has one teacher' });
  }
  if (taskLosses(sum).length + distillations(sum).length === 0) {
    const problem = '`firing` alone compares nothing with labels: write `loss cross_entropy + 0.1 * firing(…)`';
    fail('model/conflict', { problem }, written[0]!.term.place);
  }
  return sum;
}

function termOf(
  { name, args, place }: WrittenTerm['term'],
  config: Config,
  sizes: Sizes,
): LossSpec | FiringLoss | DistillLoss {
  const weighted = 'weights' in args && args.weights !== undefined ? { weights: args.weights } : {};
  switch (name) {
    case 'tet':
      return { kind: name, lambda: args.weight, phi: args.mean, smoothing: args.smoothing };
    case 'cross_entropy':
      return { kind: name, smoothing: args.smoothing, ...weighted };
    case 'huber':
      return { kind: name, delta: args.delta };
    case 'bce':
      return { kind: name, ...weighted };
    case 'distill':
      return { kind: name, teacher: args.teacher, temperature: args.temperature };
    case 'yolo':
      return { kind: name, image: detectedImage(config, args.bins, sizes, place), ...args };
    case 'firing':
      return { kind: name, target: args.target };
    case 'mse':
    case 'l1':
      return { kind: name };
  }
}

/** Weights of classes, one for each output. */
function refuseWeights({ name, args, place }: WrittenTerm['term'], outputs: number | undefined): void {
  const count = 'weights' in args ? args.weights?.length : undefined;
  if (count === undefined || outputs === undefined || count === outputs) return;
  fail('train/loss-weights', { loss: name, count, outputs }, place);
}

/** Boxes are labels of their own. */
export function labelsOf({ loss, mirrored }: SaidLoss): Pick<TrainSettings, 'labels'> {
  if (mirrored) return { labels: 'input' };
  return binsOf(loss) === undefined ? {} : { labels: 'boxes' };
}

/** Rows and columns of the image that a detector looks at. */
function detectedImage(
  config: Config,
  bins: number,
  sizes: Sizes,
  place: WrittenTerm['term']['place'],
): readonly [number, number] {
  const coarsest = detectionStrides.at(-1)!;
  if (sizes.input === undefined) return [coarsest, coarsest];
  const [, rows = 0, columns = 0] = sizes.input;
  if (rows === 0 || columns === 0 || rows % coarsest !== 0 || columns % coarsest !== 0) {
    const problem = `\`yolo\` looks at images [channels, rows, columns] of multiples of ${coarsest} rows and columns`;
    fail('model/conflict', { problem }, place);
  }
  if (config.network.kind === 'network' && config.network.outputs.length > 1)
    fail('model/conflict', { problem: '`yolo` looks at a network with one output' }, place);
  const [outputs] = sizes.outputs;
  const classes = outputs === undefined ? 1 : detectionClasses(outputs, [rows, columns], bins);
  if (outputs !== undefined && !(Number.isInteger(classes) && classes > 0)) {
    const places = detectionPlaces([rows, columns]);
    const problem = `\`yolo\` with ${bins} bins has ${4 * bins} outputs for each of the ${places} places of an image of ${rows}×${columns}, and as many more as there are classes; the network has ${outputs}`;
    fail('model/conflict', { problem }, place, {
      help: '`use "spikec/detection" { SpikeDetect }` is a head of such outputs: its `bins` are those of the loss',
    });
  }
  if (config.train?.settings.target === 'reconstruction')
    fail(
      'model/conflict',
      { problem: '`target reconstruction` and `yolo`: the outputs can’t be boxes and the image' },
      place,
    );
  return [rows, columns];
}

/** The setting `average`; bits that are learned are rounded, and what settles doesn't move: their averages mean nothing. */
function averageOf({ train, bits }: Config): { average?: number } {
  const said = train?.settings.average;
  if (said === undefined) return {};
  const problem = '`average` and `bits`: bits and step sizes that are learned have no average';
  if (bits !== undefined) fail('model/conflict', { problem }, said.place, { help: 'leave `average` out' });
  return { average: said.args.decay };
}

/** The setting `normalize`. */
export function normalisationOf(setting: Normalize | undefined): Normalisation {
  return setting?.name === 'channels' ? { mean: setting.args.mean, std: setting.args.std } : {};
}
