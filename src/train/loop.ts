import { type Tensor, tensor } from '../base/dtype.js';
import { fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import type { Place } from '../base/source.js';
import type { Engine, Opened } from '../engines/index.js';
import { type OtherOutput, bitKinds, outputNames } from '../lower/program/index.js';
import { type BitRecord, bitRecord } from './bits.js';
import type { Checkpoint } from './checkpoint.js';
import { randomFeeds } from './feeds.js';
import { Measure, type Measurement } from './measure.js';
import { drawMixing, mixedImages, mixedNumbers, partnersOf } from './mixing.js';
import { shownStates } from './averages.js';
import { randomStream, shuffled } from './random.js';
import { type EpochRecord, type OutputRecord, bestOf } from './record.js';
import { type RenewalEvent, type RenewalState, StepSizes } from './renewal.js';
import type { Samples } from './samples.js';
import { learningRate } from './schedule.js';
import type { TrainSettings } from './settings.js';
import { Settling, type SettlingEvent, type SettlingState } from './settling.js';
import { blame } from './blame.js';
import { firstNonFinite, stateSum, withStateSum } from './trace.js';
import type { OpenTeacher, Teacher } from './teacher.js';
import type { Trainee } from './trainee.js';
import { Watched } from './watched.js';

/** How far the running epoch is. */
export interface EpochProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly done: number;
  readonly total: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  /** Share of right classes, or where labels are numbers the mean absolute error. */
  readonly accuracy: number;
  readonly numbers: boolean;
  /** Of labels that are boxes there is no such figure in training: the loss alone. */
  readonly boxes?: true;
}

/** All that a checkpoint needs beside the records. */
export interface LoopState {
  readonly states: ReadonlyMap<string, Tensor>;
  /** Optimiser steps done. */
  readonly step: number;
  readonly renewal?: RenewalState;
  readonly settling?: SettlingState;
}

export interface LoopOptions {
  readonly trainee: Trainee;
  readonly samples: Samples;
  readonly settings: TrainSettings;
  readonly engine: Engine;
  /** Who teaches the network, where the loss has a distillation. */
  readonly teacher?: OpenTeacher | undefined;
  readonly threads?: number;
  /** Where to go on. */
  readonly from?: Checkpoint;
  /** Called after each epoch with all that a checkpoint needs, before the next begins. */
  readonly onEpoch: (record: EpochRecord, checkpoint: LoopState) => void;
  readonly onProgress?: (progress: EpochProgress) => void;
  /** What else takes time: on its own, or with images done and in all. */
  readonly onPhase?: (phase: string, part?: { readonly done: number; readonly total: number }) => void;
  readonly now: () => number;
  /** Where the model file says what an op of the network is. */
  readonly placeOf: (op: string) => Place | undefined;
}

export interface LoopResult {
  readonly records: readonly EpochRecord[];
  readonly stopped: 'epochs' | 'patience';
}

/** Terms of a regularised loss. */
const termNames = ['task', ...bitKinds];

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
  let step = from?.progress.step ?? 0;
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
      const started = options.now();
      const epoch = new Epoch(options, opened, watched, training, records, step, { sizes, settling, teacher });
      const { loss, accuracy, rate, others, ...bitwise } = await epoch.run();
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
        ...(sizes === undefined ? {} : { renewal: sizes.state }),
        ...(settling === undefined ? {} : { settling: settling.state }),
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
): LoopResult['stopped'] | undefined {
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

/** One pass over the training images; the next batch is read, decoded and augmented while a step runs. */
class Epoch {
  readonly #options: LoopOptions;
  readonly #order: Int32Array;
  readonly #random: () => number;
  readonly steps: number;
  readonly epoch: number;
  readonly #batch: number;

  constructor(
    options: LoopOptions,
    readonly opened: Opened,
    readonly watched: Watched,
    training: Int32Array,
    readonly records: readonly EpochRecord[],
    readonly before: number,
    readonly watching: {
      readonly sizes: StepSizes | undefined;
      readonly settling: Settling | undefined;
      readonly teacher: Teacher | undefined;
    },
  ) {
    this.#options = options;
    const { seed, batch } = options.settings;
    const epoch = records.length + 1;
    this.epoch = epoch;
    const order = shuffled(training.length, randomStream(seed, 'order', epoch));
    this.#order = order.map((i) => training[i]!);
    this.#random = randomStream(seed, 'augment', epoch);
    this.#batch = Math.min(batch, training.length);
    // an incomplete last batch is left out: its statistics would be those of a few images
    this.steps = Math.floor(training.length / this.#batch);
  }

  async run(): Promise<
    Pick<EpochRecord, 'loss' | 'rate' | 'terms' | 'renewals' | 'settled'> & {
      accuracy: number;
      /** Of outputs behind the first, by their names. */
      others: ReadonlyMap<string, number>;
    }
  > {
    const { settings, onProgress } = this.#options;
    const terms = new Map<string, number>();
    const renewals: RenewalEvent[] = [];
    const settled: SettlingEvent[] = [];
    const others = new Map(settings.others?.map(({ name }) => [name, 0]));
    const { opened, watched } = this;
    const { sizes, settling } = this.watching;
    let [losses, correct, rate] = [0, 0, 0];
    const { epoch } = this;
    const figure = figureOf(settings.labels);
    const numbers = figure === 'mae';
    const shown = figure === 'map' ? ({ numbers, boxes: true } as const) : { numbers };
    const total = this.steps * this.#batch;
    const before = this.records.map((record) => record.val_loss ?? record.loss);
    onProgress?.({ epoch, epochs: settings.epochs, done: 0, total, loss: 0, accuracy: 0, ...shown });
    const rateOf = (i: number): number =>
      learningRate(settings.schedule, settings.rate, this.epoch - 1 + i / this.steps, settings.epochs, before);
    let ahead = this.steps > 0 ? this.#draw(0, rateOf(0)) : undefined;
    for (let i = 0; i < this.steps; i++) {
      const epochs = this.epoch - 1 + i / this.steps;
      rate = rateOf(i);
      const step = this.before + i + 1;
      const given = present(ahead, 'train: no batch');
      const { teacher } = this.watching;
      const image = given[this.#options.trainee.lowered.feeds.image.id] as Tensor<'f32'>;
      const drawn = teacher === undefined ? given : { ...given, [outputNames.teacher]: await teacher.logits(image) };
      settled.push(...(settling?.look(watched.values, step, epochs / settings.epochs) ?? []));
      if (sizes !== undefined)
        renewals.push(...(await watched.changedBy((values, all) => sizes.renew(values, all, drawn, step))));
      const [results, next] = await Promise.all([
        opened.step(drawn),
        i + 1 < this.steps ? soon(() => this.#draw(i + 1, rateOf(i + 1))) : undefined,
      ]);
      ahead = next;
      const loss = present(results[outputNames.loss], 'train: no loss').data[0]!;
      // spikes hide a NaN in a membrane from the loss, but its gradient reaches the weights
      if (!Number.isFinite(loss) || !(await this.#statesAreFinite(results))) await this.#explain(drawn, i);
      await watched.update(settling?.staying);
      losses += loss;
      for (const name of termNames) {
        const term = results[`loss.${name}`]?.data[0];
        if (term !== undefined) terms.set(name, (terms.get(name) ?? 0) + term / this.steps);
      }
      if (figure !== 'map')
        correct += present(results[outputNames[numbers ? 'error' : 'correct']], 'train: no count').data[0]!;
      for (const one of settings.others ?? []) {
        const counted = one.labels === 'classes' ? outputNames.correctOf(one.name) : outputNames.errorOf(one.name);
        const count = present(results[counted], 'train: no count').data[0]!;
        others.set(one.name, others.get(one.name)! + count);
      }
      const done = (i + 1) * this.#batch;
      onProgress?.({
        epoch,
        epochs: settings.epochs,
        done,
        total: this.steps * this.#batch,
        loss: losses / (i + 1),
        accuracy: correct / done,
        ...shown,
      });
    }
    return {
      loss: losses / this.steps,
      accuracy: correct / (this.steps * this.#batch),
      others: new Map([...others].map(([name, count]) => [name, count / total])),
      rate,
      ...(terms.size === 0 ? {} : { terms: Object.fromEntries(terms) as unknown as NonNullable<EpochRecord['terms']> }),
      ...(renewals.length === 0 ? {} : { renewals }),
      ...(settled.length === 0 ? {} : { settled }),
    };
  }

  /** A sum is finite only where all its terms are; where it isn't, it may have left the range of its dtype. */
  async #statesAreFinite(results: Readonly<Record<string, Tensor>>): Promise<boolean> {
    if (Number.isFinite(present(results[stateSum], 'train: no sum of the states').data[0]!)) return true;
    return [...(await this.opened.read()).values()].every(isFinite);
  }

  /** What a step is fed. */
  #draw(i: number, rate: number): Record<string, Tensor> {
    const { trainee, samples, settings } = this.#options;
    const indices = this.#order.subarray(i * this.#batch, (i + 1) * this.#batch);
    const { feeds } = trainee.lowered;
    const { images: drawn, placements } = samples.placed(indices, settings.augment, this.#random);
    const mixing = drawMixing(settings.augment, indices.length, feeds.image.shape, this.#random);
    const images = mixing === undefined ? drawn : mixedImages(drawn, mixing);
    const truth = samples.truthOf(indices, images, placements);
    const wanted = (kind: OtherOutput['labels'] | 'boxes', own: Tensor, name?: string): Record<string, Tensor> => {
      const frame = samples.isOfPixels(name) ? samples.shape.slice(-2) : undefined;
      const mixed = mixing !== undefined && kind === 'numbers' ? mixedNumbers(own, mixing, frame) : own;
      const partners =
        mixing !== undefined && kind === 'classes' ? { [outputNames.partnersOf(name)]: partnersOf(own, mixing) } : {};
      return { [outputNames.labelsOf(name)]: mixed, ...partners };
    };
    const { labels = 'classes', others = [] } = settings;
    const shared = mixing !== undefined && [labels, ...others.map((one) => one.labels)].includes('classes');
    return {
      ...randomFeeds(feeds.randoms, indices.length, settings.seed, 'step', this.epoch, i),
      [feeds.image.id]: images,
      ...wanted(labels, truth),
      ...Object.assign(
        {},
        ...others.map((one) =>
          wanted(one.labels, samples.truthOfOther(one.name, indices, images, placements), one.name),
        ),
      ),
      ...(shared ? { [outputNames.share]: tensor('f32', [], [mixing.share]) } : {}),
      learning_rate: tensor('f32', [], [rate]),
      step: tensor('f32', [], [this.before + i + 1]),
    };
  }

  /** Stops with the first op of the step whose result is not finite; what it was fed is. */
  async #explain(drawn: Readonly<Record<string, Tensor>>, i: number): Promise<never> {
    const { trainee, engine, placeOf } = this.#options;
    const feeds = { ...drawn, ...Object.fromEntries(await this.opened.read(undefined, { before: true })) };
    const where = { epoch: this.epoch, step: i + 1 };
    const op = await firstNonFinite(trainee.step.program, feeds, engine);
    const { layer, what, help } = blame(trainee, op ?? { id: '', kind: 'sum' });
    return fail('train/diverged', { ...where, layer, what }, placeOf(layer), { help });
  }
}

/** Behind what was begun before: an engine that computes on threads of its own is at it by then. In a page there are none. */
async function soon<T>(work: () => T): Promise<T> {
  if (typeof setImmediate === 'function') await new Promise<void>((resolve) => setImmediate(resolve));
  return work();
}

/** One pass: a sum is finite only where all its terms are, short of sums that overflow float64. */
function isFinite({ data }: Tensor): boolean {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]!;
  return Number.isFinite(sum);
}

type Figure = 'accuracy' | 'mae' | 'map';

/** What a training is judged by. */
function figureOf(labels: TrainSettings['labels']): Figure {
  if (labels === 'boxes') return 'map';
  return labels === undefined ? 'accuracy' : 'mae';
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
