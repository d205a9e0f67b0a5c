import type { Tensor } from '../../base/dtype.js';

/** One bin for each value of a float32's leading 16 bits behind the sign: bins 2⁻⁸ apart, relative to the value. */
const bins = 1 << 16;
const dropped = 15;

/** Positive activations of a layer, counted batch by batch in bounded memory. */
export class RangeCounter {
  readonly #counts = new Float64Array(bins);
  #positive = 0;
  #most = 0;

  add({ data }: Tensor): void {
    const values = data instanceof Float32Array ? data : Float32Array.from(data);
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (!(value > 0)) continue;
      this.#positive++;
      this.#counts[bits[i]! >>> dropped]!++;
      if (value > this.#most) this.#most = value;
    }
  }

  /** The value that `percentile` % of the positive activations don't exceed, to 0.4 %; the maximum for 100; 0 without any. */
  range(percentile: number): number {
    if (percentile >= 100 || this.#positive === 0) return this.#most;
    let below = 0;
    for (let bin = 0; bin < bins; bin++) {
      below += this.#counts[bin]!;
      if (below * 100 >= percentile * this.#positive) return Math.min(this.#most, upperEnd(bin));
    }
    return this.#most;
  }
}

function upperEnd(bin: number): number {
  return new Float32Array(Uint32Array.of((bin + 1) << dropped).buffer)[0]!;
}
