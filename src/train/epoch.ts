import { type Tensor, tensor } from '../base/dtype.js';
import { fail } from '../base/diagnostics/index.js';
import { present } from '../base/invariant.js';
import type { Opened } from '../engines/index.js';
import { type OtherOutput, bitKinds, outputNames } from '../lower/program/index.js';
import { blame } from './blame.js';
import type { RunningEpoch } from './checkpoint.js';
import { randomFeeds } from './feeds.js';
import { type LoopOptions, figureOf } from './loop-options.js';
import { drawMixing, mixedImages, mixedNumbers, partnersOf } from './mixing.js';
import { CountedStream, randomStream, shuffled } from './random.js';
import type { EpochRecord } from './record.js';
import type { RenewalEvent, StepSizes } from './renewal.js';
import { learningRate } from './schedule.js';
import type { Settling, SettlingEvent } from './settling.js';
import type { Teacher } from './teacher.js';
import { firstNonFinite, stateSum } from './trace.js';
import type { Watched } from './watched.js';

/** Terms of a regularised loss. */
const termNames = ['task', ...bitKinds];

/** One pass over the training images; the next batch is read, decoded and augmented while a step runs. */
export class Epoch {
  readonly #options: LoopOptions;
  readonly #order: Int32Array;
  readonly #random: CountedStream;
  /** Numbers that were drawn before the batch of a step was. */
  readonly #drawn = new Map<number, number>();
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
    /** Where the epoch goes on. */
    readonly from?: RunningEpoch,
  ) {
    this.#options = options;
    const { seed, batch } = options.settings;
    const epoch = records.length + 1;
    this.epoch = epoch;
    const order = shuffled(training.length, randomStream(seed, 'order', epoch));
    this.#order = order.map((i) => training[i]!);
    this.#random = new CountedStream(from?.drawn ?? 0, seed, 'augment', epoch);
    this.#batch = Math.min(batch, training.length);
    // an incomplete last batch is left out: its statistics would be those of a few images
    this.steps = Math.floor(training.length / this.#batch);
  }

  /** `save` keeps the epoch as far as it is; `asked`: it was stopped behind a step that is saved. */
  async run(save: (now: Omit<RunningEpoch, 'seconds'>) => Promise<void>): Promise<
    | 'asked'
    | (Pick<EpochRecord, 'loss' | 'rate' | 'terms' | 'renewals' | 'settled'> & {
        accuracy: number;
        /** Of outputs behind the first, by their names. */
        others: ReadonlyMap<string, number>;
      })
  > {
    const { settings, onProgress, every, stopping } = this.#options;
    const { from } = this;
    const terms = new Map(Object.entries(from?.terms ?? {}));
    const renewals: RenewalEvent[] = [...(from?.renewals ?? [])];
    const settled: SettlingEvent[] = [...(from?.settled ?? [])];
    const others = new Map(settings.others?.map(({ name }) => [name, from?.others[name] ?? 0]));
    const { opened, watched } = this;
    const { sizes, settling } = this.watching;
    const { steps: first = 0, loss = 0, correct: right = 0, rate: last = 0 } = from ?? {};
    let [losses, correct, rate] = [loss, right, last];
    const { epoch } = this;
    const figure = figureOf(settings.labels);
    const numbers = figure === 'mae';
    const shown = figure === 'map' ? ({ numbers, boxes: true } as const) : { numbers };
    const total = this.steps * this.#batch;
    const before = this.records.map((record) => record.val_loss ?? record.loss);
    const counted = Math.max(1, first);
    onProgress?.({
      epoch,
      epochs: settings.epochs,
      done: first * this.#batch,
      total,
      loss: losses / counted,
      accuracy: correct / (counted * this.#batch),
      ...shown,
    });
    const rateOf = (i: number): number =>
      learningRate(settings.schedule, settings.rate, this.epoch - 1 + i / this.steps, settings.epochs, before);
    let ahead = first < this.steps ? this.#draw(first, rateOf(first)) : undefined;
    for (let i = first; i < this.steps; i++) {
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
      const lossNow = present(results[outputNames.loss], 'train: no loss').data[0]!;
      // spikes hide a NaN in a membrane from the loss, but its gradient reaches the weights
      if (!Number.isFinite(lossNow) || !(await this.#statesAreFinite(results))) await this.#explain(drawn, i);
      await watched.update(settling?.staying);
      losses += lossNow;
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
      const steps = i + 1;
      const asked = stopping?.() === true;
      if (steps === this.steps || !(asked || steps % (every ?? Infinity) === 0)) continue;
      const taken = present(this.#drawn.get(steps), 'train: the next batch wasn’t drawn');
      const sums = {
        loss: losses,
        correct,
        rate,
        terms: Object.fromEntries(terms),
        others: Object.fromEntries(others),
      };
      await save({ steps, drawn: taken, ...sums, renewals, settled });
      if (asked) return 'asked';
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
    this.#drawn.set(i, this.#random.given);
    const random = this.#random.next;
    const indices = this.#order.subarray(i * this.#batch, (i + 1) * this.#batch);
    const { feeds } = trainee.lowered;
    const { images: drawn, placements } = samples.placed(indices, settings.augment, random);
    const mixing = drawMixing(settings.augment, indices.length, feeds.image.shape, random);
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
