import { present } from '../base/invariant.js';
import { type Engine, type Opened, engineNamed } from '../engines/index.js';
import { layerOutputs, lowerLayerNeurons, neuronInputs } from '../lower/program/index.js';
import type { Network, Op } from '../network/index.js';
import { simplify } from '../tensor/index.js';

/** Currents of all neurons of a batch, [Tc·N, …shape]. */
export interface Current {
  readonly steps: number;
  readonly data: Float64Array;
}

/** A train: levels [Tc·N], in a byte each where they fit. */
export type Levels = Int8Array | Float32Array;

/** Neurons that a program holds: the first width in which a layer fits, or the last. */
const widths = [2048, 16384] as const;

/** Some neurons of a layer: from which on, and their currents as programs take them, [Tc, width], with what they hold from before behind them. */
export interface Portion {
  readonly start: number;
  readonly size: number;
  readonly width: number;
  readonly data: Float64Array<ArrayBuffer>;
}

/** All neurons of a layer, portion by portion in one space. */
export function* portions(current: Current): Generator<Portion> {
  const { steps } = current;
  const count = current.data.length / steps;
  const width = widths.find((one) => one >= count) ?? widths.at(-1)!;
  const data = new Float64Array(steps * width);
  for (let start = 0; start < count; start += width) {
    const size = Math.min(width, count - start);
    for (let k = 0; k < steps; k++) {
      data.set(current.data.subarray(k * count + start, k * count + start + size), k * width);
    }
    yield { start, size, width, data };
  }
}

/** Neurons of layers by themselves, element by element in this thread: one program for all layers whose neurons are the same. */
export class LayerNeurons {
  readonly #opened = new Map<string, Opened>();
  readonly #engine: Engine = present(engineNamed('fused'), 'allocate: no fused engine');

  constructor(
    readonly network: Network,
    readonly steps: number,
  ) {}

  /** Codes with so many silent steps, decided with a margin. */
  async codes(op: Op, silent: number, { data, size, width }: Portion, margin: number): Promise<Float32Array> {
    const opened = await this.#open(op, { silent, width, margin: true });
    const { [layerOutputs.codes]: codes } = await opened.step({
      [neuronInputs.current]: { dtype: 'f64', shape: [this.steps, width], data },
      [neuronInputs.margin]: { dtype: 'f64', shape: [2], data: Float64Array.of(margin, 1 - margin) },
    });
    return (codes!.data as Float32Array).subarray(0, size);
  }

  /** The train with so many silent steps. */
  async train(op: Op, silent: number, current: Current): Promise<Levels> {
    const kept = new Train(op, this.steps, current.data.length / this.steps);
    for (const { data, start, size, width } of portions(current)) {
      const opened = await this.#open(op, { silent, width, margin: false });
      const { [layerOutputs.train]: train } = await opened.step({
        [neuronInputs.current]: { dtype: 'f64', shape: [this.steps, width], data },
      });
      kept.take(train!.data as Float32Array, start, size);
    }
    return kept.levels;
  }

  async #open(op: Op, neurons: Parameters<typeof lowerLayerNeurons>[2]): Promise<Opened> {
    const { silent: _, ...attrs } = op.attrs as Record<string, unknown>;
    const key = JSON.stringify([attrs, neurons]);
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const opened = await this.#engine.open(simplify(lowerLayerNeurons(this.network, op, neurons)), { threads: 1 });
    this.#opened.set(key, opened);
    return opened;
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((opened) => opened.dispose()));
  }
}

/** A train that comes in portions. Levels are whole numbers, within bounds that their layer says: in a byte each where they fit. */
export class Train {
  readonly levels: Levels;

  constructor(
    { type: { code } }: Op,
    readonly steps: number,
    readonly count: number,
  ) {
    const inByte = code.kind === 'spike' && code.min >= -128 && code.max <= 127;
    this.levels = new (inByte ? Int8Array : Float32Array)(steps * count);
  }

  /** Takes the train of `size` neurons from `start` on, at every step followed by what isn't wanted. */
  take(train: Float32Array, start: number, size: number): void {
    const stride = train.length / this.steps;
    for (let k = 0; k < this.steps; k++) {
      this.levels.set(train.subarray(k * stride, k * stride + size), k * this.count + start);
    }
  }
}
