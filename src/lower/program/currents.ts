import { InvariantError, present } from '../../base/invariant.js';
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
    const rest = new Map(coefficients);
    let sum: Value | undefined;
    const plus = (value: Value, factor: number): void => {
      builder.at(this.op.id);
      const term = factor === 1 ? value : builder.mul(value, factor);
      sum = sum === undefined ? term : builder.add(sum, term);
    };
    const last = rest.get(this.#merged);
    if (last !== undefined) {
      plus(this.#values[0]!, last);
      for (let k = 1; k <= this.#merged; k++) rest.delete(k);
    }
    for (const [k, factor] of rest) {
      if (k <= this.#merged) throw new InvariantError(`lower: ${this.op.id} reads step ${k} after it was merged`);
      plus(this.#values[k - this.#merged]!, factor);
    }
    return present(sum, `lower: ${this.op.id}: an empty current`);
  }

  /** The first request: its coefficients are a geometric series where the steps can merge. */
  #fetch(coefficients: ReadonlyMap<number, number>): void {
    const last = Math.max(...coefficients.keys());
    const top = coefficients.get(last)!;
    const ratio = last > 1 ? (coefficients.get(last - 1) ?? 0) / top : 1;
    for (let k = 1; k <= last; k++) {
      const expected = top * ratio ** (last - k);
      if (Math.abs((coefficients.get(k) ?? 0) - expected) > 1e-12 * Math.abs(expected)) return this.#fetchAll();
    }
    this.#merged = last;
    this.#ratio = ratio;
    this.#values = this.input.take(last, this.#ratio);
  }

  #fetchAll(): void {
    throw new InvariantError(`lower: ${this.op.id} sums its input with weights that are no geometric series`);
  }
}
