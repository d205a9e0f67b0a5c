import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import type { StepSettings } from '../train/index.js';
import { bitTraining } from './bit-training.js';
import { labelsOf, optimizerOf, saidLoss } from './train-settings.js';

/** Loss, optimiser and bits of a config with `train { … }`: plain SGD where it names none. */
export function stepSettings(
  config: Config,
  { settings: { optimizer, memory } }: NonNullable<Config['train']>,
  network: Network,
): StepSettings {
  const task = saidLoss(config);
  const { loss, others } = task;
  const bits = bitTraining(config, network, optimizer?.args.lr ?? 0.1);
  return {
    loss,
    ...labelsOf(task),
    ...(others.length === 0 ? {} : { others }),
    optimizer: optimizer === undefined ? { kind: 'sgd' } : optimizerOf(optimizer),
    ...(memory === 'low' ? { memory } : {}),
    ...(bits === undefined ? {} : { bits }),
  };
}
