import { elementCount } from '../../base/dtype.js';
import { type TrainCounts, firingOps } from '../../cost/index.js';
import type { Network } from '../../network/index.js';
import { SpikeOnes, type Trains } from './spike-ones.js';

interface Counted {
  readonly id: string;
  readonly ones: Float64Array;
  fired: number;
  outputs: number;
}

/**
 * Counts what the trains of a network cost, batch by batch: a spike of b bits is worth the ones among them, since
 * each is a spike of a binary plane of its own ({@link SpikeOnes}). One spike of value ±1 is one.
 */
export class SpikeCounter {
  readonly #trains: ReadonlyMap<string, Counted>;
  readonly #ones: SpikeOnes;

  constructor(readonly network: Network) {
    this.#ones = new SpikeOnes(network);
    this.#trains = new Map(
      firingOps(network).map(({ id, type: { shape } }) => [
        id,
        { id, ones: new Float64Array(elementCount(shape)), fired: 0, outputs: 0 },
      ]),
    );
  }

  /** The values that {@link add} reads. */
  get ids(): readonly string[] {
    return [...new Set([...this.#trains.keys()].flatMap((id) => this.#ones.reads(id)))];
  }

  add(trains: Trains): void {
    for (const counted of this.#trains.values()) {
      const { data } = trains(counted.id);
      const { ones } = counted;
      const size = ones.length;
      const worth = this.#ones.of(counted.id, trains);
      for (let at = 0; at < data.length; at += size) {
        for (let i = 0; i < size; i++) {
          if (data[at + i] === 0) continue;
          counted.fired++;
          ones[i]! += worth[at + i]!;
        }
      }
      counted.outputs += data.length;
    }
  }

  countsOf(id: string): TrainCounts {
    const counted = this.#trains.get(id);
    if (counted === undefined) throw new TypeError(`SpikeCounter: no train ${id}`);
    return counted;
  }
}
