import type { Value } from '../../tensor/index.js';

/**
 * What an equation's subexpression is while a neuron is unrolled: known now (a number or a truth
 * value), a tensor, or a sum of input currents that have not been asked for yet.
 */
export type Operand = number | boolean | Value | Pending;

/** Σ coefficients[k]·x_k over input steps k: lets silent steps merge into one synaptic sum. */
export class Pending {
  constructor(readonly coefficients: ReadonlyMap<number, number>) {}

  scaled(factor: number): Pending {
    return new Pending(new Map([...this.coefficients].map(([k, c]) => [k, c * factor])));
  }

  /** Whether times `factor` has no rounding of its own: it, or all that stands there, is a power of two. */
  scalesExactly(factor: number): boolean {
    return isPowerOfTwo(factor) || [...this.coefficients.values()].every(isPowerOfTwo);
  }

  plus(other: Pending): Pending {
    const sum = new Map(this.coefficients);
    for (const [k, c] of other.coefficients) sum.set(k, (sum.get(k) ?? 0) + c);
    return new Pending(sum);
  }
}

/** ±2^k, times which or by which a number is divided without rounding. */
export function isPowerOfTwo(x: number): boolean {
  const exponent = Math.log2(Math.abs(x));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 100;
}

export const isKnown = (x: Operand): x is number | boolean => typeof x === 'number' || typeof x === 'boolean';
export const truth = (x: number | boolean): boolean => x !== false && x !== 0;
export const quantity = (x: number | boolean): number => Number(x);

/** An assigned value that isn't worked out before it is read: what isn't read leaves no op behind. */
class Deferred {
  #value: Operand | undefined;
  constructor(readonly work: () => Operand) {}

  value(): Operand {
    return (this.#value ??= this.work());
  }
}

/** What names stand for. Reading works out deferred values. */
export class Environment {
  readonly #values: Map<string, Operand | Deferred>;

  constructor(entries: Iterable<readonly [string, Operand | Deferred]> = []) {
    this.#values = new Map(entries);
  }

  get(name: string): Operand | undefined {
    const value = this.#values.get(name);
    return value instanceof Deferred ? value.value() : value;
  }

  set(name: string, value: Operand): void {
    this.#values.set(name, value);
  }

  /** Works `value` out when it is first read, with the names as they are now. */
  defer(name: string, value: (now: Environment) => Operand): void {
    const now = new Environment(this.#values);
    this.#values.set(name, new Deferred(() => value(now)));
  }
}
