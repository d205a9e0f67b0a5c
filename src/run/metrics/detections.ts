import type { Tensor } from '../../base/dtype.js';
import {
  type Detection,
  type DetectionScore,
  PrecisionCounter,
  decodeDetections,
  objectsOf,
} from '../../detection/index.js';
import type { Truth } from './batches.js';

/** Compares the boxes that outputs stand for with those that are there, batch by batch. */
export class DetectionCounter {
  readonly #precision: PrecisionCounter;
  readonly #width: number;

  constructor(
    readonly truth: Extract<Truth, { readonly kind: 'boxes' }>,
    samples: number,
    /** Takes the boxes of a sample, the best first. */
    readonly each?: (found: readonly Detection[], sample: number) => void,
  ) {
    this.#precision = new PrecisionCounter(truth.detector.classes);
    this.#width = truth.numbers.length / Math.max(1, samples);
  }

  /** Outputs [count, …] of the samples from `start`. */
  add({ data, shape }: Tensor, start: number): void {
    const count = shape[0]!;
    const width = data.length / count;
    const { numbers, detector } = this.truth;
    for (let i = 0; i < count; i++) {
      const found = decodeDetections(data.subarray(i * width, (i + 1) * width), detector);
      const own = (start + i) * this.#width;
      this.each?.(found, start + i);
      this.#precision.add(found, objectsOf(numbers.subarray(own, own + this.#width)));
    }
  }

  result(): DetectionScore {
    return this.#precision.result();
  }
}
