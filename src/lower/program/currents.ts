import { present } from '../../base/invariant.js';
import type { Pending } from '../../equations/index.js';
import type { Op } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import type { Lowering } from './context.js';
import type { Timed } from './trains.js';

/** Input currents, asked for as late as possible: one sum over the steps before the first decision. */
export class Currents {
  /** Number of leading steps merged into the first current; fixed by the first request. */
  #merged = 0;
  #ratio = 1;
  #values: readonly Value[] = [];

  constructor(
    readonly lowering: Lowering,
    readonly op: Op,
    readonly input: Timed,
  ) {}

  force({ coefficients }: Pending): Value {
    if (this.#merged === 0) this.#fetch(coefficients);
    const { builder } = this.lowering;
    let sum: Value | undefined;
    const plus = (value: Value, factor: number): void => {
      builder.at(this.op.id);
      const term = factor === 1 ? value : builder.mul(value, factor);
      sum = sum === undefined ? term : builder.add(sum, term);
    };
    const rest = new Map(coefficients);
    const last = rest.get(this.#merged);
    if (last !== undefined && this.#isSeries(rest, this.#merged, this.#ratio)) {
      plus(this.#values[0]!, last);
      for (let k = 1; k <= this.#merged; k++) rest.delete(k);
    }
    for (const [k, factor] of rest) plus(k > this.#merged ? this.#values[k - this.#merged]! : this.#step(k), factor);
    return present(sum, `lower: ${this.op.id}: an empty current`);
  }

  /** The first request: steps whose coefficients are a geometric series merge. */
  #fetch(coefficients: ReadonlyMap<number, number>): void {
    const last = Math.max(...coefficients.keys());
    const ratio = last > 1 ? (coefficients.get(last - 1) ?? 0) / coefficients.get(last)! : 1;
    const merges = this.#isSeries(coefficients, last, ratio);
    this.#merged = merges ? last : 1;
    this.#ratio = merges ? ratio : 1;
    this.#values = this.input.take(this.#merged, this.#ratio);
  }

  /** Whether the coefficients of the first steps are those of one weighted sum: c·ratio^(last − k). */
  #isSeries(coefficients: ReadonlyMap<number, number>, last: number, ratio: number): boolean {
    const top = coefficients.get(last) ?? 0;
    for (let k = 1; k <= last; k++) {
      const expected = top * ratio ** (last - k);
      if (Math.abs((coefficients.get(k) ?? 0) - expected) > 1e-12 * Math.abs(expected)) return false;
    }
    return true;
  }

  /** A step by itself, for equations that read it again after it was merged. */
  #step(k: number): Value {
    return present(this.input.take(1, 1)[k - 1], `lower: ${this.op.id} has no step ${k}`);
  }
}
