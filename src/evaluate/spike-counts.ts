import { type Tensor, elementCount } from '../base/dtype.js';
import { type TrainCounts, firesSpikes } from '../cost/index.js';
import type { Network } from '../network/index.js';

interface Counted {
  readonly id: string;
  readonly step: number;
  readonly ones: Float64Array;
  fired: number;
  outputs: number;
}

/**
 * Counts what the trains of a network cost, batch by batch: a spike of b bits is worth the ones among them, since
 * each is a spike of a binary plane of its own (signed: the bits of its size). One spike of value ±1 is one.
 */
export class SpikeCounter {
  readonly #trains: ReadonlyMap<string, Counted>;

  constructor(readonly network: Network) {
    this.#trains = new Map(
      network.ops.filter(firesSpikes).map(({ id, type: { code, shape } }) => {
        const step = code.kind === 'spike' ? code.step : 1;
        return [id, { id, step, ones: new Float64Array(elementCount(shape)), fired: 0, outputs: 0 }];
      }),
    );
  }

  get ids(): readonly string[] {
    return [...this.#trains.keys()];
  }

  /** `train`: what a layer gives out at all steps for a batch, its own shape last. */
  add(train: (id: string) => Tensor): void {
    for (const counted of this.#trains.values()) {
      const { data } = train(counted.id);
      const { ones, step } = counted;
      const size = ones.length;
      for (let at = 0; at < data.length; at += size) {
        for (let i = 0; i < size; i++) {
          const value = data[at + i]!;
          if (value === 0) continue;
          counted.fired++;
          ones[i]! += onesIn(Math.abs(Math.round(value / step)));
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

/** Ones among the bits of a whole number below 2³¹. */
export function onesIn(code: number): number {
  let ones = 0;
  for (let rest = code; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}
