import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Engine, type Opened, type OpenedInParts, engineNamed, openInParts } from '../engines/index.js';
import {
  type LayerCurrent,
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
  /**
   * What is still to come in at a decision counts as so many times as much: 1 as it is, more for inputs that weren't seen. Of a layer of
   * which so many codes are seen on all images.
   */
  readonly margin: (codes: number) => number;
  /** With so many silent steps a layer's codes are right whatever comes in. */
  readonly proven: ReadonlyMap<string, number>;
  /** Layers of neurons that are tried, from the front; the others get what is proven. */
  readonly searched: ReadonlySet<string>;
  readonly onProgress?: OnProgress | undefined;
}

/** Neurons that one sample of their program holds. */
const chunk = 4096;
/** Samples that it runs on at a time. */
const together = 16;
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
      const { program, fed, currents } = lowerLayerCurrent(network, op);
      const opened = await openInParts(simplify(program), this.#currents);
      try {
        guess = await this.#leastOf(op, { opened, fed, currents }, guess);
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
        const levels = new Train(1, train!.data.length);
        levels.set(train!.data as Float32Array, 0);
        trains.push(levels.levels);
      }
      this.#trains.set(op.id, trains);
    } finally {
      await opened.dispose();
    }
  }

  /** The least period that all images are content with; their trains with it are kept. */
  async #leastOf(op: Op, reach: Reach, guess: number): Promise<number> {
    const { images, tolerance, proven } = this.options;
    const samples = images.reduce((sum, { shape }) => sum + shape[0]!, 0);
    const margin = this.options.margin(samples * elementCount(op.type.shape));
    const most = Math.min(this.#steps, proven.get(op.id) ?? this.#steps);
    const trains: (Levels | undefined)[] = images.map(() => undefined);
    let silent = Math.min(guess, most);
    for (const n of images.keys()) {
      const current = await this.#current(reach, n);
      const right = await this.#codes(op, current, margin);
      const allowed = Math.floor(tolerance * right.length);
      const fits = async (period: number): Promise<boolean> =>
        period >= most || (await this.#within(op, period, current, { margin, right, allowed }));
      if (!(await fits(silent))) {
        trains.fill(undefined);
        do silent++;
        while (!(await fits(silent)));
      } else if (n === 0) while (silent > 0 && (await fits(silent - 1))) silent--; // other images are content with no less
      trains[n] = await this.#train(op, silent, current);
    }
    for (const n of images.keys()) trains[n] ??= await this.#train(op, silent, await this.#current(reach, n));
    this.#trains.set(op.id, trains as Levels[]);
    return silent;
  }

  /** The layer's input current for one batch, step by step. */
  async #current({ opened, fed, currents }: Reach, image: number): Promise<Current> {
    const samples = this.options.images[image]!.shape[0]!;
    const feeds = fed.map((id) => {
      const { shape } = present(this.#byId.get(id), `allocate: no layer ${id}`).type;
      const levels = present(this.#trains.get(id)?.[image], `allocate: no train of ${id}`);
      return [id, tensor('f32', [this.#steps * samples, ...shape], Float32Array.from(levels))] as const;
    });
    const results = await opened.step(Object.fromEntries(feeds));
    return currents.map((name) => results[name]!.data as Float64Array);
  }

  /** Codes after the whole input. */
  async #codes(op: Op, current: Current, margin: number): Promise<Float32Array> {
    const codes = new Float32Array(current[0]!.length);
    for await (const { start, found } of this.#fire(op, this.#steps, current, margin)) codes.set(found, start);
    return codes;
  }

  /** Whether no more codes than allowed differ from the right ones with so many silent steps. */
  async #within(op: Op, silent: number, current: Current, { margin, right, allowed }: Bound): Promise<boolean> {
    let differing = 0;
    for await (const { start, found } of this.#fire(op, silent, current, margin)) {
      for (let i = 0; i < found.length; i++) if (found[i] !== right[start + i]) differing++;
      if (differing > allowed) return false;
    }
    return true;
  }

  async #train(op: Op, silent: number, current: Current): Promise<Levels> {
    const kept = new Train(this.#steps, current[0]!.length);
    for await (const { start, found, train } of this.#fire(op, silent, current, 1))
      kept.take(train, start, found.length);
    return kept.levels;
  }

  /** Runs a layer's neurons, {@link chunk} × {@link together} at a time. */
  async *#fire(op: Op, silent: number, current: Current, margin: number): AsyncGenerator<Fired> {
    const opened = await this.#openNeurons(op, silent);
    const count = current[0]!.length;
    const data = new Float64Array(current.length * chunk * Math.min(together, Math.ceil(count / chunk)));
    for (let start = 0; start < count; start += chunk * together) {
      const size = Math.min(chunk * together, count - start);
      const results = await opened.step({
        [neuronInput]: portion(data, current, [start, size], this.#weights(op), margin),
      });
      const found = (results[layerOutputs.codes]!.data as Float32Array).subarray(0, size);
      yield { start, found, train: results[layerOutputs.train]!.data as Float32Array };
    }
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

/** The program of what reaches a layer of neurons: what it is fed, and its outputs with the current, one a step. */
interface Reach extends Omit<LayerCurrent, 'program'> {
  readonly opened: OpenedInParts;
}

/** Currents of all neurons of a batch, step by step. */
type Current = readonly Float64Array[];

interface Bound {
  readonly margin: number;
  readonly right: Float32Array;
  readonly allowed: number;
}

/** What some neurons of a layer give. */
interface Fired {
  /** The first of them. */
  readonly start: number;
  /** Their codes. */
  readonly found: Float32Array;
  /** Their trains, at every step followed by what isn't wanted. */
  readonly train: Float32Array;
}

/**
 * Currents of some neurons, in a space for them, as their program takes them, [Tc·N, chunk] with zeros at the end of each step. With a margin they have the same
 * sum Σ β^(Tc−τ)·z(τ), of which, after every step, so many times as much is still to come: all times the margin, and the first
 * step makes up for it.
 */
function portion(
  space: Float64Array<ArrayBuffer>,
  current: Current,
  [start, size]: readonly [number, number],
  weights: readonly number[],
  margin: number,
): Tensor {
  const samples = Math.ceil(size / chunk);
  const stride = samples * chunk;
  const data = space.subarray(0, current.length * stride).fill(0);
  for (const [k, step] of current.entries()) data.set(step.subarray(start, start + size), k * stride);
  if (margin !== 1) {
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) {
        const z = data[k * stride + i]!;
        sum += weights[k]! * z;
        data[k * stride + i] = margin * z;
      }
      data[i]! += ((1 - margin) * sum) / weights[0]!;
    }
  }
  return tensor('f64', [current.length * samples, chunk], data);
}

/** A train that comes in portions. Trains between layers are whole numbers; in a byte each where they fit. */
class Train {
  levels: Levels;

  constructor(
    readonly steps: number,
    readonly count: number,
  ) {
    this.levels = new Int8Array(steps * count);
  }

  /** Takes the train of `size` neurons from `start` on, at every step followed by what isn't wanted. */
  take(train: Float32Array, start: number, size: number): void {
    const stride = train.length / this.steps;
    for (let k = 0; k < this.steps; k++)
      this.set(train.subarray(k * stride, k * stride + size), k * this.count + start);
  }

  set(levels: Float32Array, at: number): void {
    for (let i = 0; i < levels.length; i++) {
      this.levels[at + i] = levels[i]!;
      if (this.levels[at + i] === levels[i]) continue;
      this.levels = Float32Array.from(this.levels);
      this.levels.set(levels, at);
      return;
    }
  }
}
