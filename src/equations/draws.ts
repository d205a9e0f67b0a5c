import { functionNamed } from './functions.js';
import { type Expr, type NeuronDef, assignmentsOf, partsOf } from './types.js';

type Call = Extract<Expr, { kind: 'call' }>;

/** A call of `uniform` or `normal` in a neuron's equations. */
export interface Draw {
  /** `uniform1`, `normal2`: which call it is, in the order of the equations. */
  readonly name: string;
  readonly kind: 'uniform' | 'normal';
  readonly call: Call;
}

/** The random numbers that a time step of a neuron draws, in the order of its equations; none for most. */
export function drawsOf(def: NeuronDef): readonly Draw[] {
  let draws = known.get(def);
  if (draws === undefined) {
    const calls = assignmentsOf(def).flatMap(({ value }) => drawing(value));
    draws = calls.map((call, i) => ({ name: `${call.callee}${i + 1}`, kind: call.callee as Draw['kind'], call }));
    known.set(def, draws);
  }
  return draws;
}

/** Definitions don't change, and each step asks. */
const known = new WeakMap<NeuronDef, readonly Draw[]>();

/** The calls in an expression that draw random numbers. */
export function drawing(expr: Expr): readonly Call[] {
  const inside = partsOf(expr).flatMap(drawing);
  return expr.kind === 'call' && functionNamed(expr.callee)?.draws === true ? [...inside, expr] : inside;
}
