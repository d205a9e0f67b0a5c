import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Engine, type Opened, type OpenedInParts, engineNamed, openInParts } from '../engines/index.js';
import {
  layerOutputs,
  lowerEncoder,
  lowerLayerCurrent,
  lowerLayerNeurons,
  neuronInput,
  stepsOfNetwork,
  trainsRead,
} from '../lower/program/index.js';
import { type Network, type Op, numberAttr, opsById, roleOf } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import type { OnProgress } from '../workspace/types.js';

export interface LeastOptions {
  /** In batches, [N, …shape] each: what is held at once. */
  readonly images: readonly Tensor<'f32'>[];
  /** Of a layer's codes, so many may differ from those after its whole input. */
  readonly tolerance: number;
  /** What is still to come in at a decision counts as so many times as much: 1 as it is, more for inputs that weren't seen. */
  readonly margin: number;
  /** With so many silent steps a layer's codes are right whatever comes in. */
  readonly proven: ReadonlyMap<string, number>;
  /** Layers of neurons that are tried, from the front; the others get what is proven. */
  readonly searched: ReadonlySet<string>;
  readonly onProgress?: OnProgress | undefined;
}

/** Neurons that one sample of their program holds. */
const chunk = 4096;
/** Where the first layer begins to look. */
const firstGuess = 2;

/**
 * The least silent period of every layer of neurons with which no code on these images differs from the one that the layer
 * has after its whole input: found layer by layer from the encoder on, each on the trains that the layers before it give
 * with the periods they got. A layer's input current is computed once and its neurons run with several periods. Layers
 * that aren't searched have the period that is proven.
 */
export async function leastSilence(network: Network, options: LeastOptions): Promise<ReadonlyMap<string, number>> {
  const search = new Search(network, options);
  try {
    return await search.run();
  } finally {
    await search.dispose();
  }
}

/** A train of one batch: levels [Tc·N, …shape]. */
type Levels = Int8Array | Float32Array;

class Search {
  readonly #trains = new Map<string, Levels[]>();
  readonly #neurons = new Map<string, Opened>();
  readonly #steps: number;
  readonly #byId: ReadonlyMap<string, Op>;
  readonly #currents: Engine = present(engineNamed('onnxruntime'), 'allocate: no onnxruntime');
  /** Element by element, in this thread. */
  readonly #elementwise: Engine = present(engineNamed('fused'), 'allocate: no fused engine');

  constructor(
    readonly network: Network,
    readonly options: LeastOptions,
  ) {
    this.#steps = stepsOfNetwork(network);
    this.#byId = opsById(network);
  }

  async run(): Promise<ReadonlyMap<string, number>> {
    const { network, options } = this;
    const found = new Map<string, number>();
    const layers = network.ops.filter((op) => roleOf(op) === 'encoder' || options.searched.has(op.id));
    const lastReader = new Map<string, string>();
    for (const op of layers) {
      if (op.kind === 'neuron') for (const train of trainsRead(network, op)) lastReader.set(train, op.id);
    }
    let guess = firstGuess;
    for (const [n, op] of layers.entries()) {
      options.onProgress?.({ phase: 'choosing silent periods', done: n, total: layers.length, unit: 'layers' });
      if (op.kind === 'encode') {
        await this.#encode(op);
        continue;
      }
      const { program, fed } = lowerLayerCurrent(network, op);
      const opened = await openInParts(simplify(program), this.#currents);
      try {
        guess = await this.#leastOf(op, opened, fed, guess);
      } finally {
        await opened.dispose();
      }
      found.set(op.id, guess);
      for (const id of fed) if (lastReader.get(id) === op.id) this.#trains.delete(id);
      if (!lastReader.has(op.id)) this.#trains.delete(op.id);
    }
    for (const [id, period] of options.proven) if (!found.has(id)) found.set(id, period);
    return found;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#neurons.values()].map((opened) => opened.dispose()));
  }

  async #encode(op: Op): Promise<void> {
    const input = present(
      this.network.ops.find(({ kind }) => kind === 'input'),
      'allocate: a network without input',
    );
    const opened = await this.#currents.open(simplify(lowerEncoder(this.network, op)));
    try {
      const trains: Levels[] = [];
      for (const image of this.options.images) {
        const { [layerOutputs.train]: train } = await opened.step({ [input.id]: image });
        trains.push(kept(train!.data));
      }
      this.#trains.set(op.id, trains);
    } finally {
      await opened.dispose();
    }
  }

  /** The least period that all images are content with; their trains with it are kept. */
  async #leastOf(op: Op, currentOf: OpenedInParts, fed: readonly string[], guess: number): Promise<number> {
    const { images, tolerance, margin, proven } = this.options;
    const most = Math.min(this.#steps, proven.get(op.id) ?? this.#steps);
    const trains: (Levels | undefined)[] = images.map(() => undefined);
    let silent = Math.min(guess, most);
    for (const n of images.keys()) {
      const current = await this.#current(op, currentOf, fed, n);
      const pending = magnified(current, this.#weights(op), margin);
      const { codes: right } = await this.#fire(op, this.#steps, pending);
      const fits = async (period: number): Promise<boolean> =>
        period >= most ||
        differing((await this.#fire(op, period, pending)).codes, right) <= Math.floor(tolerance * current.count);
      if (!(await fits(silent))) {
        trains.fill(undefined);
        do silent++;
        while (!(await fits(silent)));
      } else if (n === 0) while (silent > 0 && (await fits(silent - 1))) silent--; // other images are content with no less
      trains[n] = kept((await this.#fire(op, silent, current)).train);
    }
    for (const n of images.keys()) {
      trains[n] ??= kept((await this.#fire(op, silent, await this.#current(op, currentOf, fed, n))).train);
    }
    this.#trains.set(op.id, trains as Levels[]);
    return silent;
  }

  /** The layer's input current for one batch, [Tc·N, chunk] with zeros at the end of each step. */
  async #current(op: Op, opened: OpenedInParts, fed: readonly string[], image: number): Promise<Current> {
    const samples = this.options.images[image]!.shape[0]!;
    const feeds = fed.map((id) => {
      const { shape } = present(this.#byId.get(id), `allocate: no layer ${id}`).type;
      const levels = present(this.#trains.get(id)?.[image], `allocate: no train of ${id}`);
      return [id, tensor('f32', [this.#steps * samples, ...shape], Float32Array.from(levels))] as const;
    });
    const { [layerOutputs.current]: current } = await opened.step(Object.fromEntries(feeds));
    const count = samples * elementCount(op.type.shape);
    const chunks = Math.ceil(count / chunk);
    const data = current!.data as Float64Array<ArrayBuffer>;
    const shape = [this.#steps * chunks, chunk];
    if (count === chunks * chunk) return { count, data: tensor('f64', shape, data) };
    const padded = new Float64Array(this.#steps * chunks * chunk);
    for (let k = 0; k < this.#steps; k++) padded.set(data.subarray(k * count, (k + 1) * count), k * chunks * chunk);
    return { count, data: tensor('f64', shape, padded) };
  }

  async #fire(op: Op, silent: number, { count, data }: Current): Promise<Fired> {
    const opened = await this.#openNeurons(op, silent);
    const results = await opened.step({ [neuronInput]: data });
    const train = results[layerOutputs.train]!.data as Float32Array;
    const stride = train.length / this.#steps;
    const steps = Array.from({ length: this.#steps }, (_, k) => train.subarray(k * stride, k * stride + count));
    return { codes: results[layerOutputs.codes]!.data.subarray(0, count) as Float32Array, train: steps };
  }

  /** β^(Tc−τ): what a current at step τ counts in the layer's code. */
  #weights(op: Op): readonly number[] {
    const beta = numberAttr(op.attrs, 'beta');
    return Array.from({ length: this.#steps }, (_, k) => beta ** (this.#steps - 1 - k));
  }

  /** One program for all layers whose neurons are the same. */
  async #openNeurons(op: Op, silent: number): Promise<Opened> {
    const { silent: _, ...attrs } = op.attrs as Record<string, unknown>;
    const key = JSON.stringify([attrs, silent]);
    const known = this.#neurons.get(key);
    if (known !== undefined) return known;
    const program = simplify(lowerLayerNeurons(this.network, op, silent, chunk));
    const opened = await this.#elementwise.open(program, { threads: 1 });
    this.#neurons.set(key, opened);
    return opened;
  }
}

interface Current {
  /** Neurons of the layer. */
  readonly count: number;
  readonly data: Tensor<'f64'>;
}

interface Fired {
  readonly codes: Float32Array;
  /** Step by step. */
  readonly train: readonly Float32Array[];
}

/**
 * Currents with the same sum Σ β^(Tc−τ)·z(τ) of which, after every step, so many times as much is still to come: all times
 * the margin, and the first step makes up for it.
 */
function magnified({ count, data }: Current, weights: readonly number[], margin: number): Current {
  if (margin === 1) return { count, data };
  const { data: from, shape } = data;
  const stride = from.length / weights.length;
  const to = new Float64Array(from.length);
  for (let i = 0; i < stride; i++) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) {
      const z = from[k * stride + i]!;
      sum += weights[k]! * z;
      to[k * stride + i] = margin * z;
    }
    to[i]! += ((1 - margin) * sum) / weights[0]!;
  }
  return { count, data: tensor('f64', shape, to) };
}

function differing(found: Float32Array, right: Float32Array): number {
  let count = 0;
  for (let i = 0; i < found.length; i++) if (found[i] !== right[i]) count++;
  return count;
}

/** Trains between layers are whole numbers; in a byte each where they fit. */
function kept(levels: ArrayLike<number> | readonly Float32Array[]): Levels {
  const parts = Array.isArray(levels) ? (levels as readonly Float32Array[]) : [levels as Float32Array];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const small = parts.every((part) => part.every((v) => Number.isInteger(v) && v >= -128 && v <= 127));
  const all = small ? new Int8Array(length) : new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
