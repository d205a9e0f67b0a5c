import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Engine } from '../engines/index.js';
import { type Runnable, lower } from '../lower/program/index.js';
import { type Network, type Op, isFiringLayer } from '../network/index.js';
import { stepsOfNeurons } from './bits.js';
import { randomFeeds } from './feeds.js';
import { type Running, openRunnable } from './open.js';
import type { Samples } from './samples.js';

export interface Measurement {
  /** Of labels that are classes. */
  readonly accuracy?: number;
  /** Of labels that are numbers: mean absolute error. */
  readonly mae?: number;
  /** Cross-entropy of the mean logits, or the mean squared error. */
  readonly loss: number;
  /** Spikes (in levels) per neuron and time step, by layer. */
  readonly firing: Readonly<Record<string, number>>;
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
    readonly logits: boolean,
  ) {}

  /** `logits`: of labels that are numbers, σ of the outputs is compared with them. */
  static async open(network: Network, engine: Engine, inputs: readonly string[], logits = false): Promise<Measure> {
    const layers = network.ops
      .filter((op): op is Op<'neuron'> => op.kind === 'neuron' && isFiringLayer(op))
      .map((op) => ({ id: op.id, neurons: elementCount(op.type.shape), steps: stepsOfNeurons(network, op) }));
    const sizes = new Map(layers.map(({ id, neurons }) => [id, neurons]));
    // fan-out is not asked for here; the counts need its length only
    const fanOut = (id: string): Float64Array => new Float64Array(sizes.get(id) ?? 0);
    const lowered = lower(network, { probes: { counts: fanOut }, trainable: true });
    return new Measure(lowered, await openRunnable(lowered, engine, { fed: inputs }), layers, logits);
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
    const { logits: logitsName = '', probes } = outputs;
    const weights = Object.fromEntries([...states].filter(([id]) => this.running.inputs.has(id)));
    const spikes = new Map<string, number>();
    let [correct, loss, numbers] = [0, 0, false];
    for (let start = 0; start < indices.length; start += batch) {
      onProgress?.(start);
      const part = indices.subarray(start, start + batch);
      const images = samples.images(part);
      const results = await this.running.step({
        ...weights,
        ...randomFeeds(feeds.randoms, part.length, seed, 'measure', start),
        [feeds.image.id]: images,
      });
      const logits = present(results[logitsName], 'train: no logits');
      const truth = samples.truthOf(part, images);
      numbers = truth.dtype === 'f32';
      const judged = numbers ? distance(logits, truth, this.logits) : judge(logits, truth.data as Int32Array);
      correct += judged.correct;
      loss += judged.loss;
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
    return { [numbers ? 'mae' : 'accuracy']: correct / count, loss: loss / count, firing: Object.fromEntries(firing) };
  }

  async close(): Promise<void> {
    await this.running.dispose();
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

/** Σ over rows of the mean absolute (`correct`) and squared (`loss`) difference of outputs [N, width] from numbers. */
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
