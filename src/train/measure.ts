import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type DetectorShape, PrecisionCounter, decodeDetections, objectsOf } from '../detection/index.js';
import type { Engine } from '../engines/index.js';
import { type Runnable, givesLogitsOfNumbers, lower, outputNames, weightOf } from '../lower/program/index.js';
import { type Network, type Op, isFiringLayer } from '../network/index.js';
import { stepsOfNeurons } from './bits.js';
import { randomFeedsOf } from './feeds.js';
import { type Running, openRunnable } from './open.js';
import type { Samples } from './samples.js';
import type { TrainSettings } from './settings.js';

export interface Measurement {
  /** Of labels that are classes. */
  readonly accuracy?: number;
  /** Of labels that are numbers: mean absolute error. */
  readonly mae?: number;
  /** Of labels that are boxes: mean average precision at an overlap of 0.5, and at 0.5 … 0.95. */
  readonly map50?: number;
  readonly map?: number;
  /** Cross-entropy of the mean logits, or the mean squared error; missing where labels are boxes. */
  readonly loss?: number;
  /** Of several outputs: the figures of each, by its name; `loss` above is then their sum, each times its factor. */
  readonly outputs?: Readonly<Record<string, Judgement>>;
  /** Spikes (in levels) per neuron and time step, by layer. */
  readonly firing: Readonly<Record<string, number>>;
}

/** What an output is worth: as in {@link Measurement}. */
type Judgement = Pick<Measurement, 'accuracy' | 'mae'> & { readonly loss: number };

/** An output's sums over samples. */
interface Sums {
  correct: number;
  loss: number;
  numbers: boolean;
}

interface Layer {
  readonly id: string;
  readonly neurons: number;
  /** Its time steps; with learned ones those of the moment. */
  readonly steps: (states: ReadonlyMap<string, Tensor>) => number;
}

/** Runs the inference program with the weights of the moment. */
export class Measure {
  private constructor(
    readonly lowered: Runnable,
    readonly running: Running,
    readonly layers: readonly Layer[],
    readonly names: readonly string[],
    readonly settings: Pick<TrainSettings, 'others' | 'loss'>,
  ) {}

  static async open(
    network: Network,
    engine: Engine,
    inputs: readonly string[],
    settings: Pick<TrainSettings, 'others' | 'loss'>,
  ): Promise<Measure> {
    const layers = network.ops
      .filter((op): op is Op<'neuron'> => op.kind === 'neuron' && isFiringLayer(op))
      .map((op) => ({ id: op.id, neurons: elementCount(op.type.shape), steps: stepsOfNeurons(network, op) }));
    const sizes = new Map(layers.map(({ id, neurons }) => [id, neurons]));
    // fan-out is not asked for here; the counts need its length only
    const fanOut = (id: string): Float64Array => new Float64Array(sizes.get(id) ?? 0);
    const lowered = lower(network, { probes: { counts: fanOut }, trainable: true });
    return new Measure(
      lowered,
      await openRunnable(lowered, engine, { fed: inputs }),
      layers,
      network.outputs,
      settings,
    );
  }

  async run(
    states: ReadonlyMap<string, Tensor>,
    samples: Samples,
    indices: Int32Array,
    batch: number,
    seed: number,
    onProgress?: (done: number) => void,
  ): Promise<Measurement> {
    const { feeds, outputs } = this.lowered;
    const { probes } = outputs;
    const others = this.settings.others ?? [];
    const weights = Object.fromEntries([...states].filter(([id]) => this.running.inputs.has(id)));
    const spikes = new Map<string, number>();
    const { detector } = samples;
    const precision = detector === undefined ? undefined : new PrecisionCounter(detector.classes);
    const first: Sums = { correct: 0, loss: 0, numbers: false };
    const sums = new Map<number, Sums>([[0, first], ...others.map(({ output }) => [output, { ...first }] as const)]);
    for (let start = 0; start < indices.length; start += batch) {
      onProgress?.(start);
      const part = indices.subarray(start, start + batch);
      const images = samples.images(part);
      const results = await this.running.step({
        ...weights,
        ...randomFeedsOf(feeds.randoms, part, seed, 'measure'),
        [feeds.image.id]: images,
      });
      for (const [output, sum] of sums) {
        const logits = present(results[outputNames.output(output)], 'train: no logits');
        const name = this.names[output]!;
        const truth = output === 0 ? samples.truthOf(part, images) : samples.truthOfOther(name, part, images);
        if (detector !== undefined && precision !== undefined) {
          detect(precision, detector, logits, truth);
          continue;
        }
        sum.numbers = truth.dtype === 'f32';
        const judged = sum.numbers
          ? distance(logits, truth, givesLogitsOfNumbers(this.settings.loss, output))
          : judge(logits, truth.data as Int32Array);
        sum.correct += judged.correct;
        sum.loss += judged.loss;
      }
      for (const { id } of this.layers) {
        const { data } = present(results[probes.counts.get(id) ?? ''], `train: no counts of ${id}`);
        for (let i = 0; i < part.length; i++) spikes.set(id, (spikes.get(id) ?? 0) + data[2 * i]!);
      }
    }
    const firing = this.layers.map(({ id, neurons, steps }) => {
      const rate = (spikes.get(id) ?? 0) / (neurons * steps(states) * Math.max(1, indices.length));
      return [id, Number(rate.toPrecision(6))];
    });
    const count = Math.max(1, indices.length);
    if (precision !== undefined) {
      const { map50, map } = precision.result();
      return { map50, map, firing: Object.fromEntries(firing) };
    }
    const judged = new Map(
      [...sums].map(([output, { correct, loss, numbers }]) => {
        const figure = { [numbers ? 'mae' : 'accuracy']: correct / count };
        return [output, { ...figure, loss: loss / count }] as const;
      }),
    );
    const own = judged.get(0)!;
    if (others.length === 0) return { ...own, firing: Object.fromEntries(firing) };
    const loss = [...judged].reduce((sum, [output, one]) => sum + weightOf(this.settings.loss, output) * one.loss, 0);
    const named = Object.fromEntries([...judged].map(([output, one]) => [this.names[output]!, one]));
    return { ...own, loss, outputs: named, firing: Object.fromEntries(firing) };
  }

  async close(): Promise<void> {
    await this.running.dispose();
  }
}

/** The boxes of rows of outputs [N, …] beside those of the labels. */
function detect(precision: PrecisionCounter, shape: DetectorShape, outputs: Tensor, truth: Tensor): void {
  const count = truth.shape[0]!;
  const [width, own] = [outputs.data.length / count, truth.data.length / count];
  for (let row = 0; row < count; row++) {
    const found = decodeDetections(outputs.data.subarray(row * width, (row + 1) * width), shape);
    precision.add(found, objectsOf(truth.data.subarray(row * own, (row + 1) * own)));
  }
}

/** How many rows of logits [N, classes] are right, and their cross-entropies' sum. */
function judge({ data, shape }: Tensor, labels: Int32Array): { correct: number; loss: number } {
  const classes = shape[1]!;
  let [correct, loss] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const values = Array.from(data.subarray(row * classes, (row + 1) * classes));
    const greatest = Math.max(...values);
    if (values.indexOf(greatest) === labels[row]) correct++;
    const total = values.reduce((sum, v) => sum + Math.exp(v - greatest), 0);
    loss += Math.log(total) + greatest - values[labels[row]!]!;
  }
  return { correct, loss };
}

/** Σ over rows of the mean absolute (`correct`) and squared (`loss`) difference of outputs [N, width], or of σ of logits, from numbers. */
function distance({ data, shape }: Tensor, numbers: Tensor, logits: boolean): { correct: number; loss: number } {
  const width = shape[1]!;
  let [absolute, squared] = [0, 0];
  for (let i = 0; i < numbers.data.length; i++) {
    const said = logits ? 1 / (1 + Math.exp(-data[i]!)) : data[i]!;
    const away = said - numbers.data[i]!;
    absolute += Math.abs(away);
    squared += away * away;
  }
  return { correct: absolute / width, loss: squared / width };
}
