import type { Tensor } from '../base/dtype.js';
import type { Opened } from '../engines/index.js';
import { type BitRecord, bitRecord } from './bits.js';
import { shownStates } from './averages.js';
import type { RunningEpoch } from './checkpoint.js';
import { Epoch } from './epoch.js';
import { randomFeeds } from './feeds.js';
import { type Figure, type LoopOptions, type LoopResult, figureOf } from './loop-options.js';
import { Measure, type Measurement } from './measure.js';
import { randomStream, shuffled } from './random.js';
import { type EpochRecord, type OutputRecord, bestOf } from './record.js';
import { StepSizes } from './renewal.js';
import type { TrainSettings } from './settings.js';
import { Settling } from './settling.js';
import { withStateSum } from './trace.js';
import type { Trainee } from './trainee.js';
import { Watched } from './watched.js';

/** Images that firing rates are measured on where none are held back. */
const measuredImages = 1000;
const measuredBatch = 100;

/**
 * Trains epoch by epoch. All randomness of an epoch (order, augmentation, masks) depends on the
 * seed and the epoch's number alone, so that a resumed training sees the same numbers.
 */
export async function trainLoop(options: LoopOptions): Promise<LoopResult> {
  const { trainee, settings, samples, engine, from } = options;
  const records = [...(from?.progress.records ?? [])];
  // a training that is done compiles nothing
  const done = endOf(records, settings);
  if (done !== undefined) return { records, stopped: done };
  const initial = new Map<string, Tensor>(
    trainee.step.states.map(({ id, initial: first }) => [id, from?.states.get(id) ?? first]),
  );
  const ids = [...initial.keys()];
  const [training, held] = splitSamples(samples.count, settings);
  options.onPhase?.('compiling the training step');
  const measure = await Measure.open(trainee.network, engine, ids, settings);
  const { network } = trainee;
  const renewed = from?.progress.renewal;
  const sizes = await StepSizes.open(network, engine, ids, settings.bits, renewed);
  const settling =
    settings.bits?.settle === undefined ? undefined : new Settling(network, settings.bits, from?.progress.settling);
  let opened: Opened | undefined;
  let running = from?.progress.running;
  // in front of the epoch that is under way
  let step = (from?.progress.step ?? 0) - (running?.steps ?? 0);
  const teacher = await options.teacher?.();
  try {
    if (renewed === undefined) await sizes?.start(initial, firstBatch(options, training));
    const threads = options.threads === undefined ? {} : { threads: options.threads };
    opened = await engine.open(withStateSum(trainee.step), { ...threads, states: initial });
    const looked = settling !== undefined || (settings.bits?.renewal ?? 'none') !== 'none';
    const watched = await Watched.open(opened, network, looked ? ids : []);
    for (;;) {
      const stopped = endOf(records, settings);
      if (stopped !== undefined) return { records, stopped };
      const started = options.now() - 1000 * (running?.seconds ?? 0);
      const epoch = new Epoch(options, opened, watched, training, records, step, { sizes, settling, teacher }, running);
      const observed = () => ({
        ...(sizes === undefined ? {} : { renewal: sizes.state }),
        ...(settling === undefined ? {} : { settling: settling.state }),
      });
      const save = async (now: Omit<RunningEpoch, 'seconds'>): Promise<void> => {
        const seconds = (options.now() - started) / 1000;
        const states = await opened!.read();
        options.onCheckpoint?.({ states, step: step + now.steps, running: { ...now, seconds }, ...observed() });
      };
      const ran = await epoch.run(save);
      if (ran === 'asked') return { records, stopped: 'asked' };
      running = undefined;
      const { loss, accuracy, rate, others, ...bitwise } = ran;
      const figure = figureOf(settings.labels);
      step += epoch.steps;
      const states = await opened.read();
      const shown = held.length > 0 ? held : training.subarray(0, measuredImages);
      const phase = held.length > 0 ? 'validating' : 'measuring firing';
      const measured = await measure.run(shownStates(states), samples, shown, measuredBatch, settings.seed, (done) =>
        options.onPhase?.(phase, { done, total: shown.length }),
      );
      const validated = held.length > 0 ? { ...valued(figure, measured), ...lossOn(measured) } : {};
      const trained = figure === 'map' ? (held.length > 0 ? {} : precisions(measured)) : { [figure]: accuracy };
      const outputs = outputRecords(
        network,
        settings,
        { ...trained, ...validated },
        others,
        held.length > 0 ? measured : undefined,
      );
      const seconds = (options.now() - started) / 1000;
      const record = {
        epoch: records.length + 1,
        loss,
        ...trained,
        ...validated,
        ...outputs,
        rate,
        firing: measured.firing,
        seconds,
        ...bitwise,
        ...definedBits(bitRecord(network, shownStates(states))),
      };
      records.push(record);
      options.onEpoch(record, {
        states,
        step,
        ...observed(),
      });
    }
  } finally {
    await teacher?.close();
    await opened?.dispose();
    await measure.close();
    await sizes?.close();
  }
}

/** The figures of each output where there are several. */
function outputRecords(
  network: Trainee['network'],
  { others = [] }: TrainSettings,
  first: object,
  trained: ReadonlyMap<string, number>,
  measured: Measurement | undefined,
): Pick<EpochRecord, 'outputs'> {
  if (others.length === 0) return {};
  const own = measured?.outputs?.[network.outputs[0]!];
  const outputs: Record<string, OutputRecord> = {
    [network.outputs[0]!]: { ...(first as OutputRecord), ...(own === undefined ? {} : { val_loss: own.loss }) },
  };
  for (const { name, labels } of others) {
    const figure = labels === 'classes' ? 'accuracy' : 'mae';
    const held = measured?.outputs?.[name];
    const validated = held === undefined ? {} : { [`val_${figure}`]: held[figure], val_loss: held.loss };
    outputs[name] = { [figure]: trained.get(name), ...validated };
  }
  return { outputs };
}

function definedBits(bits: BitRecord | undefined): { bits?: BitRecord } {
  return bits === undefined ? {} : { bits };
}

/** The first images, as they are, and random numbers of their own: what step sizes start from. */
function firstBatch({ trainee, samples, settings }: LoopOptions, training: Int32Array): Record<string, Tensor> {
  const indices = training.subarray(0, settings.batch);
  return {
    ...randomFeeds(trainee.lowered.feeds.randoms, indices.length, settings.seed, 'start'),
    [trainee.lowered.feeds.image.id]: samples.images(indices),
  };
}

/** Why a training with these records ends; it doesn't where there is no reason. */
function endOf(
  records: readonly EpochRecord[],
  { epochs, patience }: TrainSettings,
): Exclude<LoopResult['stopped'], 'asked'> | undefined {
  if (records.length >= epochs) return 'epochs';
  const best = bestOf(records);
  return patience !== undefined && best !== undefined && records.length - best.epoch >= patience
    ? 'patience'
    : undefined;
}

/** Indices to train on and indices held back, at random by the seed. */
export function splitSamples(
  count: number,
  { validation, seed }: Pick<TrainSettings, 'validation' | 'seed'>,
): [Int32Array, Int32Array] {
  const order = shuffled(count, randomStream(seed, 'split'));
  const heldBack = Math.round(count * validation);
  return [order.slice(0, count - heldBack).toSorted(), order.slice(count - heldBack).toSorted()];
}

/** What was measured on the images held back. */
function valued(figure: Figure, measured: Measurement) {
  const { accuracy = 0, mae = 0, map50 = 0, map = 0 } = measured;
  if (figure === 'map') return { val_map50: map50, val_map: map };
  return figure === 'mae' ? { val_mae: mae } : { val_accuracy: accuracy };
}

function precisions({ map50 = 0, map = 0 }: Measurement) {
  return { map50, map };
}

function lossOn({ loss }: Measurement) {
  return loss === undefined ? {} : { val_loss: loss };
}
