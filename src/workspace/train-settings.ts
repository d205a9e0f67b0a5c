import { fail } from '../base/diagnostics/index.js';
import type { Layout, Normalisation } from '../data/index.js';
import type { Config, Normalize, TrainValues } from '../model/index.js';
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

/** The settings of a config's `train { … }`, and the data set's name. */
export function trainSettings(
  config: Config,
  overrides: TrainOverrides,
): { settings: Omit<TrainSettings, 'bits'>; data: string; layout?: Layout } {
  const missing = (name: string, help?: string): never =>
    fail('train/setting-missing', { config: config.name, name }, config.place, { help });
  if (config.train === undefined) {
    return missing('`train { … }`', 'for example `train { data mnist  optimizer adam(lr: 1e-3)  epochs 5 }`');
  }
  const said = config.train.settings;
  const data = overrides.data ?? said.data ?? missing('`data`');
  const optimizer = said.optimizer ?? missing('`optimizer`');
  const limit = overrides.limit ?? said.limit;
  const settings: Omit<TrainSettings, 'bits'> = {
    optimizer: optimizerOf(optimizer),
    rate: optimizer.args.lr,
    schedule: scheduleOf(said.schedule),
    loss: lossOf(said.loss),
    augment: augmentOf(said.augment ?? []),
    normalisation: normalisationOf(said.normalize ?? config.normalize),
    batch: said.batch,
    epochs: overrides.epochs ?? said.epochs,
    seed: overrides.seed ?? said.seed,
    validation: said.validation,
    ...(limit === undefined ? {} : { limit }),
    ...(said.early_stop === undefined ? {} : { patience: said.early_stop.args.epochs }),
  };
  return {
    settings,
    data: data.includes(':') ? data : `${data}:train`,
    ...(said.layout === undefined ? {} : { layout: said.layout }),
  };
}

/** Loss, optimiser and bits of a config with `train { … }`: plain SGD where it names none. */
export function stepSettings(
  config: Config,
  { settings: { optimizer, loss } }: NonNullable<Config['train']>,
  network: Network,
): StepSettings {
  const bits = bitTraining(config, network, optimizer?.args.lr ?? 0.1);
  return {
    loss: lossOf(loss),
    optimizer: optimizer === undefined ? { kind: 'sgd' } : optimizerOf(optimizer),
    ...(bits === undefined ? {} : { bits }),
  };
}

function optimizerOf({ name, args }: NonNullable<TrainValues['optimizer']>): OptimizerSpec {
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
    case 'cosine':
      return { kind: 'cosine', warmup: schedule.args.warmup, min: schedule.args.min };
  }
}

function lossOf(loss: TrainValues['loss']): LossSpec {
  switch (loss?.name) {
    case undefined:
      return { kind: 'cross_entropy' };
    case 'tet':
      return { kind: 'tet', lambda: loss.args.weight, phi: loss.args.mean, smoothing: loss.args.smoothing };
    case 'mse':
      return { kind: 'mse' };
    case 'cross_entropy':
      return { kind: 'cross_entropy', smoothing: loss.args.smoothing };
  }
}

function augmentOf(said: NonNullable<TrainValues['augment']>): Augmentation {
  const crop = said.find((one) => one.name === 'crop');
  return { flip: said.some(({ name }) => name === 'flip'), crop: crop?.args.padding ?? 0 };
}

/** The setting `normalize`. */
export function normalisationOf(setting: Normalize | undefined): Normalisation {
  return setting?.name === 'channels' ? { mean: setting.args.mean, std: setting.args.std } : {};
}
