import { invariant } from '../../base/invariant.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';

/**
 * A value over time, as the lowering sees it. Consumers say what they need of it: with `ratio` β,
 * `take(m, β)` gives the sum of the first m steps, Σ_{k≤m} β^(m−k)·z(k), and then every later step. A
 * layer with a silent period asks for m = Ts+1, because it decides nothing before: the synapses in
 * front of it then act once instead of m times, with the same result. `take(1, …)` gives every step.
 */
export interface Timed {
  readonly steps: number;
  take(m: number, ratio: number): readonly Value[];
  /** All steps as one value [TN, …], or [N, …] where they are alike; missing where only `take` is wanted. */
  whole?(): Value;
}

/** A spike train in levels (integers, f32), with its tensors made on demand and shared. */
export abstract class Train implements Timed {
  readonly #grouped = new Map<string, Value>();

  constructor(
    protected readonly builder: ProgramBuilder,
    readonly id: string,
    readonly steps: number,
    /** β where a train's steps are weighted; 1 where they count alike. */
    readonly ratio: number,
  ) {}

  /** s_k, k from 1. */
  abstract step(k: number): Value;
  /** P_k = Σ_{j≤k} β^(k−j)·s_j. */
  abstract prefix(k: number): Value;

  /** [P_m, s_m+1 … s_Tc] as one tensor with time folded into the batch: what a synapse acts on. */
  grouped(m: number): Value {
    const key = `grouped${m}`;
    const known = this.#grouped.get(key);
    if (known !== undefined) return known;
    const parts = [this.prefix(m)];
    for (let k = m + 1; k <= this.steps; k++) parts.push(this.step(k));
    const whole = this.builder.at(this.id).as(key).concat(parts, 0);
    this.#grouped.set(key, whole);
    return whole;
  }

  take(m: number, ratio: number): readonly Value[] {
    invariant(
      m === 1 || ratio === this.ratio,
      `lower: ${this.id}: steps weighted by ${this.ratio} are summed by ${ratio}`,
    );
    const whole = this.grouped(m);
    return Array.from({ length: this.steps - m + 1 }, (_, i) => this.builder.at(this.id).step(whole, i));
  }
}

/** A train whose steps exist as values; prefixes by Horner's rule, or as given. */
export class StepTrain extends Train {
  readonly #prefixes: (Value | undefined)[];

  constructor(
    builder: ProgramBuilder,
    id: string,
    ratio: number,
    readonly values: readonly Value[],
    prefixes: readonly (Value | undefined)[] = [],
  ) {
    super(builder, id, values.length, ratio);
    this.#prefixes = [...prefixes];
  }

  step(k: number): Value {
    return this.values[k - 1]!;
  }

  prefix(k: number): Value {
    const known = this.#prefixes[k - 1];
    if (known !== undefined) return known;
    const { builder } = this;
    builder.at(this.id);
    const made =
      k === 1
        ? this.values[0]!
        : builder.as(`prefix${k}`).add(builder.mul(this.prefix(k - 1), this.ratio), this.step(k));
    this.#prefixes[k - 1] = made;
    return made;
  }
}

/** A train whose steps exist as one value [TN, …]. */
export class WholeTrain extends Train {
  readonly #prefixes = new Map<number, Value>();

  constructor(
    builder: ProgramBuilder,
    id: string,
    steps: number,
    ratio: number,
    readonly spikes: Value,
  ) {
    super(builder, id, steps, ratio);
  }

  step(k: number): Value {
    return this.builder.at(this.id).step(this.spikes, k - 1);
  }

  prefix(k: number): Value {
    const known = this.#prefixes.get(k);
    if (known !== undefined) return known;
    const step = this.step(k);
    const made = k === 1 ? step : this.builder.add(this.builder.mul(this.prefix(k - 1), this.ratio), step);
    this.#prefixes.set(k, made);
    return made;
  }

  override grouped(m: number): Value {
    return m === 1 ? this.spikes : super.grouped(m);
  }
}

/** A train given by its prefixes: s_k = P_k − β·P_k−1 (exact digits of an input, running maxima). */
export class PrefixTrain extends Train {
  readonly #steps: (Value | undefined)[] = [];

  constructor(
    builder: ProgramBuilder,
    id: string,
    steps: number,
    ratio: number,
    readonly prefixAt: (k: number) => Value,
  ) {
    super(builder, id, steps, ratio);
  }

  prefix(k: number): Value {
    return this.prefixAt(k);
  }

  step(k: number): Value {
    const { builder } = this;
    if (k === 1) return this.prefix(1);
    const [now, before] = [this.prefix(k), this.prefix(k - 1)];
    builder.at(this.id);
    return (this.#steps[k - 1] ??= builder.as(`s${k}`).sub(now, builder.mul(before, this.ratio)));
  }
}

/** A train made from another by an op that acts on each step alike and is linear (pools, reshapes). */
export class MappedTrain extends Train {
  readonly #whole = new Map<number, Value>();

  constructor(
    builder: ProgramBuilder,
    id: string,
    readonly from: Train,
    readonly map: (x: Value, steps: number) => Value,
  ) {
    super(builder, id, from.steps, from.ratio);
  }

  override grouped(m: number): Value {
    const known = this.#whole.get(m);
    if (known !== undefined) return known;
    const source = this.from.grouped(m);
    const made = this.map(source, this.steps - m + 1);
    this.#whole.set(m, made);
    return made;
  }

  step(k: number): Value {
    return this.builder.at(this.id).step(this.grouped(1), k - 1);
  }

  prefix(k: number): Value {
    return this.builder.at(this.id).step(this.grouped(k), 0);
  }
}
