import { fail } from '../base/diagnostics/index.js';
import type { Layout } from '../data/index.js';
import type { Choice, Config } from '../model/index.js';
import type { LossSpec, OptimizerSpec } from '../tensor/index.js';
import type { Network } from '../network/index.js';
import type { Augmentation, ScheduleSpec, StepSettings, TrainSettings } from '../train/index.js';
import { bitTraining } from './bit-training.js';

/** What the command line says in place of the config. */
export interface TrainOverrides {
  readonly data?: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
}

const defaults = { batch: 64, epochs: 10, seed: 1, validation: 0 } as const;

/** The settings of a config's `train { … }`, and the data set's name. */
export function trainSettings(
  config: Config,
  overrides: TrainOverrides,
): { settings: Omit<TrainSettings, 'bits'>; data: string; layout?: Layout } {
  const { train } = config;
  const missing = (name: string, help?: string): never =>
    fail('train/setting-missing', { config: config.name, name }, config.place, { help });
  if (train === undefined) {
    return missing('`train { … }`', 'for example `train { data mnist  optimizer adam(lr: 1e-3)  epochs 5 }`');
  }
  const value = (name: string): unknown => train.settings[name];
  const number = (name: keyof typeof defaults): number => (value(name) as number | undefined) ?? defaults[name];
  const data = overrides.data ?? (value('data') as string | undefined) ?? missing('`data`');
  const optimizer = (value('optimizer') as Choice | undefined) ?? missing('`optimizer`');
  const limit = overrides.limit ?? (value('limit') as number | undefined);
  const patience = (value('early_stop') as Choice | undefined)?.args['epochs'] as number | undefined;
  const settings: Omit<TrainSettings, 'bits'> = {
    optimizer: optimizerOf(optimizer),
    rate: optimizer.args['lr'] as number,
    schedule: scheduleOf(value('schedule') as Choice | undefined),
    loss: lossOf(value('loss') as Choice | undefined),
    augment: augmentOf((value('augment') as readonly Choice[] | undefined) ?? []),
    normalisation: normalisationOf(value('normalize') ?? config.normalize),
    batch: number('batch'),
    epochs: overrides.epochs ?? number('epochs'),
    seed: overrides.seed ?? number('seed'),
    validation: number('validation'),
    ...(limit === undefined ? {} : { limit }),
    ...(patience === undefined ? {} : { patience }),
  };
  const layout = value('layout') as Layout | undefined;
  return {
    settings,
    data: data.includes(':') ? data : `${data}:train`,
    ...(layout === undefined ? {} : { layout }),
  };
}

/** Loss, optimiser and bits of a config with `train { … }`: plain SGD where it names none. */
export function stepSettings(
  config: Config,
  { settings }: NonNullable<Config['train']>,
  network: Network,
): StepSettings {
  const optimizer = settings['optimizer'] as Choice | undefined;
  const bits = bitTraining(config, network, (optimizer?.args['lr'] as number | undefined) ?? 0.1);
  return {
    loss: lossOf(settings['loss'] as Choice | undefined),
    optimizer: optimizer === undefined ? { kind: 'sgd' } : optimizerOf(optimizer),
    ...(bits === undefined ? {} : { bits }),
  };
}

function optimizerOf({ name, args }: Choice): OptimizerSpec {
  const number = (key: string): number => args[key] as number;
  const weightDecay = number('weight_decay');
  if (name === 'sgd')
    return { kind: 'sgd', momentum: number('momentum'), nesterov: args['nesterov'] === true, weightDecay };
  const kind = name === 'adamw' ? 'adamw' : 'adam';
  return { kind, beta1: number('beta1'), beta2: number('beta2'), epsilon: number('epsilon'), weightDecay };
}

function scheduleOf(choice: Choice | undefined): ScheduleSpec {
  if (choice === undefined) return { kind: 'constant', warmup: 0 };
  const number = (key: string): number => choice.args[key] as number;
  const warmup = number('warmup');
  switch (choice.name) {
    case 'step':
      return { kind: 'step', warmup, every: number('every'), gamma: number('gamma') };
    case 'cosine':
      return { kind: 'cosine', warmup, min: number('min') };
    default:
      return { kind: 'constant', warmup };
  }
}

function lossOf(choice: Choice | undefined): LossSpec {
  if (choice === undefined) return { kind: 'cross_entropy' };
  const number = (key: string): number => choice.args[key] as number;
  switch (choice.name) {
    case 'tet':
      return { kind: 'tet', lambda: number('weight'), phi: number('mean'), smoothing: number('smoothing') };
    case 'mse':
      return { kind: 'mse' };
    default:
      return { kind: 'cross_entropy', smoothing: number('smoothing') };
  }
}

function augmentOf(choices: readonly Choice[]): Augmentation {
  const crop = choices.find(({ name }) => name === 'crop');
  return {
    flip: choices.some(({ name }) => name === 'flip'),
    crop: (crop?.args['padding'] as number | undefined) ?? 0,
  };
}

/** The setting `normalize`. */
export function normalisationOf(setting: unknown): TrainSettings['normalisation'] {
  const choice = setting as Choice | undefined;
  if (choice?.name !== 'channels') return {};
  return { mean: choice.args['mean'] as readonly number[], std: choice.args['std'] as readonly number[] };
}
