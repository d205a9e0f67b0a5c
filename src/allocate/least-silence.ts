import { type Tensor, elementCount, tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Engine, type OpenedInParts, engineNamed, openInParts } from '../engines/index.js';
import {
  type LayerCurrent,
  layerOutputs,
  lowerEncoder,
  lowerLayerCurrent,
  stepsOfNetwork,
  trainsRead,
} from '../lower/program/index.js';
import { type Network, type Op, opsById, roleOf } from '../network/index.js';
import { simplify } from '../tensor/index.js';
import type { OnProgress } from '../workspace/types.js';
import { type Current, LayerNeurons, type Levels, type Portion, Train, portions } from './layer-neurons.js';

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

class Search {
  readonly #trains = new Map<string, Levels[]>();
  readonly #neurons: LayerNeurons;
  readonly #steps: number;
  readonly #byId: ReadonlyMap<string, Op>;
  readonly #currents: Engine = present(engineNamed('onnxruntime'), 'allocate: no onnxruntime');

  constructor(
    readonly network: Network,
    readonly options: LeastOptions,
  ) {
    this.#steps = stepsOfNetwork(network);
    this.#byId = opsById(network);
    this.#neurons = new LayerNeurons(network, this.#steps);
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
      const opened = await openInParts(simplify(program), this.#currents, { brief: true });
      try {
        guess = await this.#leastOf(op, { opened, fed }, guess);
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
    await this.#neurons.dispose();
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
        const levels = new Train(op, 1, train!.data.length);
        levels.take(train!.data as Float32Array, 0, train!.data.length);
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
      const trial = new Trial(current, margin, Math.floor((tolerance * current.data.length) / this.#steps));
      const fits = async (...periods: [number, ...number[]]): Promise<boolean> => {
        if (periods[0] >= most) return true;
        await this.#try(op, trial, periods);
        return trial.fits(periods[0]);
      };
      // other images than the first are content with no less
      if (!(await (n === 0 && silent > 0 ? fits(silent, silent - 1) : fits(silent)))) {
        trains.fill(undefined);
        do silent++;
        while (!(await fits(silent)));
      } else if (n === 0) while (silent > 0 && (await fits(silent - 1))) silent--;
      trains[n] = await this.#neurons.train(op, silent, current);
    }
    for (const n of images.keys()) {
      trains[n] ??= await this.#neurons.train(op, silent, await this.#current(reach, n));
    }
    this.#trains.set(op.id, trains as Levels[]);
    return silent;
  }

  /** The layer's input current for one batch, step by step. */
  async #current({ opened, fed }: Reach, image: number): Promise<Current> {
    const samples = this.options.images[image]!.shape[0]!;
    const feeds = fed.map((id) => {
      const { shape } = present(this.#byId.get(id), `allocate: no layer ${id}`).type;
      const levels = present(this.#trains.get(id)?.[image], `allocate: no train of ${id}`);
      return [id, tensor('f32', [this.#steps * samples, ...shape], levels)] as const;
    });
    const results = await opened.step(Object.fromEntries(feeds));
    return { steps: this.#steps, data: results[layerOutputs.current]!.data as Float64Array };
  }

  /** Counts for some periods, in one go, the codes that aren't those after the whole input, until more differ than may. */
  async #try(op: Op, trial: Trial, periods: readonly number[]): Promise<void> {
    const tried = periods.filter((period) => !trial.differing.has(period));
    for (const period of tried) trial.differing.set(period, 0);
    for (const portion of portions(trial.current)) {
      const open = tried.filter((period) => trial.fits(period));
      if (open.length === 0) return;
      const right = await this.#rightCodes(op, trial, portion);
      for (const period of open) {
        const found = await this.#neurons.codes(op, period, portion, trial.margin);
        let differing = 0;
        for (let i = 0; i < found.length; i++) if (found[i] !== right[i]) differing++;
        trial.differing.set(period, trial.differing.get(period)! + differing);
      }
    }
  }

  /** Codes of some neurons after the whole input. */
  async #rightCodes(op: Op, { right, margin }: Trial, portion: Portion): Promise<Float32Array> {
    const known = right.get(portion.start);
    if (known !== undefined) return known;
    const codes = await this.#neurons.codes(op, this.#steps, portion, margin);
    right.set(portion.start, codes);
    return codes;
  }
}

/** Silent periods of a layer on one batch. */
class Trial {
  /** Period → how many codes differ, counted no further than it fits. */
  readonly differing = new Map<number, number>();
  /** Codes after the whole input, by portions as far as they were asked for. */
  readonly right = new Map<number, Float32Array>();

  constructor(
    readonly current: Current,
    readonly margin: number,
    readonly allowed: number,
  ) {}

  fits(period: number): boolean {
    return present(this.differing.get(period), `allocate: a period of ${period} wasn't tried`) <= this.allowed;
  }
}

/** The program of what reaches a layer of neurons: what it is fed, and its outputs with the current, one a step. */
interface Reach extends Omit<LayerCurrent, 'program'> {
  readonly opened: OpenedInParts;
}
