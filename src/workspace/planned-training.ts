import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import type { Layout } from '../data/index.js';
import type { Config } from '../model/index.js';
import type { Network } from '../network/index.js';
import { type TrainSettings, type Trainee, traineeOf, withoutGradient } from '../train/index.js';
import { bitTraining, renewalProblems } from './bit-training.js';
import type { Findings } from './findings.js';
import { networkOf } from './own-network.js';
import { type TrainOverrides, trainSettings } from './train-settings.js';

/** Everything of a training that a config says. */
export interface PlannedTraining {
  readonly network: Network;
  readonly settings: TrainSettings;
  /** The data set's name. */
  readonly data: string;
  readonly layout?: Layout;
}

/** A config's network with its initial weights, and how it is trained; a config that doesn't say enough is refused. */
export function plannedTraining(config: Config, overrides: TrainOverrides, findings: Findings): PlannedTraining {
  if (config.network.kind === 'onnx')
    fail('train/setting-missing', { config: config.name, name: 'network of layers' }, config.network.place);
  const { settings, ...from } = trainSettings(config, overrides);
  const network = networkOf(config, findings, settings.seed);
  const bits = bitTraining(config, network, settings.rate);
  findings.take({ value: true, diagnostics: renewalProblems(config, network) });
  return { ...from, network, settings: bits === undefined ? settings : { ...settings, bits } };
}

/** The training step; parameters that no gradient would reach are an error. */
export function trainable({ network, settings }: PlannedTraining): Trainee {
  const trainee = traineeOf(network, settings);
  const blocked = withoutGradient(trainee);
  if (blocked.length > 0) throw new DiagnosticError(blocked);
  return trainee;
}
