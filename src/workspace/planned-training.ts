import { type Diagnostic, DiagnosticError, diagnostic, fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import type { Dataset, Layout } from '../data/index.js';
import { labelsOfOutput } from '../data/outputs.js';
import { present } from '../base/invariant.js';
import { type OtherOutput, type TrainingLoss, taskLosses, taughtOutput } from '../lower/program/index.js';
import { type LossSpec, detectionPlaces, needsClasses } from '../tensor/index.js';
import type { Config } from '../model/index.js';
import { type Network, opsById } from '../network/index.js';
import { type OpenTeacher, type TrainSettings, type Trainee, traineeOf, withoutGradient } from '../train/index.js';
import { bitTraining, renewalProblems } from './bit-training.js';
import type { Findings } from './findings.js';
import { layerSettings } from './layer-settings.js';
import { networkOf } from './own-network.js';
import { sizesOfNetwork } from './own-sizes.js';
import { type TrainOverrides, trainSettings } from './train-settings.js';

/** Everything of a training that a config says. */
export interface PlannedTraining {
  readonly network: Network;
  readonly settings: TrainSettings;
  /** The data set's name. */
  readonly data: string;
  readonly layout?: Layout;
  /** The config says no loss: it is what the labels want. */
  readonly usualLoss: boolean;
  /** Who teaches the network, where the loss has a distillation. */
  readonly teacher?: OpenTeacher;
}

/** The training on a data set whose labels may be numbers; losses that can't compare with them are refused. */
export function forLabels(plan: PlannedTraining, dataset: Dataset): PlannedTraining {
  const { settings, network } = plan;
  const { boxes } = dataset;
  if (settings.labels === 'boxes') {
    if (boxes === undefined) return fail('data/no-boxes', { name: dataset.name });
    refuseOtherClasses(plan, dataset.name, boxes.names.length);
    return { ...plan, settings: { ...settings, objects: boxes.most } };
  }
  if (boxes !== undefined && settings.labels !== 'input') fail('data/boxes', { name: dataset.name });
  const numbers = settings.labels === 'input' || dataset.targets !== undefined;
  const others = settings.others?.map((one) => labelledOutput(one, network, dataset));
  const isNumbers = (output: number): boolean =>
    output === 0 ? numbers : others?.find((one) => one.output === output)?.labels !== 'classes';
  const loss = plan.usualLoss ? usualFor(settings.loss, isNumbers) : settings.loss;
  for (const output of network.outputs.keys()) {
    for (const one of taskLosses(loss, output)) {
      if (isNumbers(output) && needsClasses(one))
        fail('train/loss-needs-classes', { name: dataset.name, loss: one.kind });
    }
  }
  const taught = taughtOutput(loss);
  if (taught !== undefined && isNumbers(taught))
    fail('train/loss-needs-classes', { name: dataset.name, loss: 'distill' });
  return {
    ...plan,
    settings: {
      ...settings,
      loss,
      ...(numbers ? { labels: settings.labels ?? 'numbers' } : {}),
      ...(others === undefined ? {} : { others }),
    },
  };
}

/** An output behind the first as the data set's labels have it. */
function labelledOutput(one: OtherOutput, network: Network, dataset: Dataset): OtherOutput {
  const { shape } = present(opsById(network).get(network.outputs[one.output]!), 'train: no output').type;
  const width = elementCount(shape);
  if (one.labels === 'input') return one;
  const { numbers } = labelsOfOutput(dataset, one.name, width);
  return { ...one, labels: numbers === undefined ? 'classes' : 'numbers' };
}

/** The loss where a config names none: of numbers their squared distance. */
function usualFor(loss: TrainingLoss, isNumbers: (output: number) => boolean): TrainingLoss {
  const usual = (output: number): LossSpec => ({ kind: isNumbers(output) ? 'mse' : 'cross_entropy' });
  if (loss.kind !== 'sum') return usual(0);
  return { kind: 'sum', terms: loss.terms.map((term) => ({ ...term, loss: usual(term.of ?? 0) })) };
}

/** A detector has a number for each class of its data. */
function refuseOtherClasses({ settings, network }: PlannedTraining, name: string, classes: number): void {
  const outputs = elementCount(network.ops.find(({ id }) => id === network.outputs[0])!.type.shape);
  for (const one of taskLosses(settings.loss)) {
    if (one.kind !== 'yolo') continue;
    const { bins, image } = one;
    const places = detectionPlaces(image);
    if (places * (4 * bins + classes) !== outputs)
      fail('data/detector-mismatch', { name, classes, outputs, places, bins });
  }
}

/**
 * A config's network with its initial weights (`begin` may give it others), and how it is trained; a config that doesn't say enough
 * is refused, and one that names an ONNX file where nobody gives what it is `imported` as. Needs no Node.
 */
export function plannedTraining(
  config: Config,
  overrides: TrainOverrides,
  findings: Findings,
  begin: (initial: Network) => Network = (initial) => initial,
  imported?: Network,
): PlannedTraining {
  if (config.network.kind === 'onnx' && imported === undefined)
    fail('train/setting-missing', { config: config.name, name: 'network of layers' }, config.network.place);
  const { settings: said, ...from } = trainSettings(config, overrides, imported && sizesOfNetwork(imported));
  const network = begin(imported ?? networkOf(config, findings, said.seed));
  const settings = {
    ...said,
    ...layerSettings(config, network),
    ...(overrides.from === undefined ? {} : { from: overrides.from }),
  };
  const bits = bitTraining(config, network, settings.rate);
  findings.take({
    value: true,
    diagnostics: [...renewalProblems(config, network), ...idle(config, network, settings)],
  });
  return { ...from, network, settings: bits === undefined ? settings : { ...settings, bits } };
}

/** What of a training does nothing: weights that are all frozen, a schedule that never begins. */
function idle(config: Config, network: Network, { frozen, schedule, epochs }: TrainSettings): readonly Diagnostic[] {
  const place = config.train?.place;
  const weights = [...network.params.keys()];
  const { warmup } = schedule;
  return [
    ...(frozen !== undefined && weights.every((name) => frozen.includes(name))
      ? [diagnostic('train/nothing-learns', {}, place)]
      : []),
    ...(warmup > 0 && warmup >= epochs ? [diagnostic('train/long-warmup', { warmup, epochs }, place)] : []),
  ];
}

/** The training step; parameters that no gradient would reach are an error. */
export function trainable({ network, settings }: PlannedTraining): Trainee {
  const trainee = traineeOf(network, settings);
  const blocked = withoutGradient(trainee);
  if (blocked.length > 0) throw new DiagnosticError(blocked);
  return trainee;
}
