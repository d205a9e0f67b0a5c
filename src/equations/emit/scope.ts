import type { Expr } from '../types.js';
import type { ProgramBuilder, SurrogateAttrs, Value } from '../../tensor/index.js';
import { type Environment, type Operand, Pending, isKnown, quantity } from './operand.js';

/** What is compared with the boundaries of levels: level k begins where membrane ≥ (k + offset)·unit. */
export interface Compared {
  /** What is floored or rounded, without what it is divided or multiplied by. */
  readonly membrane: Value;
  /** How far apart the boundaries are, in units of the membrane. */
  readonly unit: Value | number;
  /** 0 where levels are floored, −½ where they are rounded. */
  readonly offset: number;
  /** membrane ≥ unit is what flooring gives, in every float: at most one division was rounded. */
  readonly exact: boolean;
}

/** A multi-level output lo … hi, counted in steps, with what it was made of: the reset asks whether it fired. */
export interface Staircase extends Compared {
  readonly lo: number;
  readonly hi: number;
  readonly surrogate: SurrogateAttrs;
}

export interface EvaluationScope {
  readonly builder: ProgramBuilder;
  readonly env: Environment;
  /** Turns pending input currents into a tensor. */
  readonly force: (pending: Pending) => Value;
  /** What multi-level outputs were made of, for the phases behind the one that fires. */
  readonly staircases?: Map<Value, Staircase>;
  /** Attributes for discontinuous ops, for autodiff. */
  readonly surrogate?: SurrogateAttrs;
  /** Bounds of `ste` as values: those that learn can't be attributes. */
  readonly passing?: { readonly lo?: Value | number; readonly hi?: Value | number };
  /**
   * Nothing is decided before these currents are summed: multiples of them may become one weighted sum, rounded once.
   * Elsewhere an equation rounds as it is written, for a jump stands behind it.
   */
  readonly merging?: boolean;
  /** The number [N, …shape] that a call of `uniform` or `normal` draws at this step, before its arguments; missing where none is. */
  readonly draw?: (call: Extract<Expr, { kind: 'call' }>) => Value;
  /** The program will be differentiated: bounds of levels must not disturb their surrogates. */
  readonly differentiable?: boolean;
}

/** A tensor of numbers; a truth tensor becomes 0 and 1. */
export function asTensor(x: Value | Pending, scope: EvaluationScope, like?: Operand): Value {
  const value = x instanceof Pending ? scope.force(x) : x;
  if (value.dtype !== 'bool') return value;
  const dtype = like !== undefined && !isKnown(like) && !(like instanceof Pending) ? like.dtype : 'bool';
  return scope.builder.cast(value, dtype === 'bool' ? precisionOf(scope) : dtype);
}

/** What an op of the builder takes: a number where it is known, else a tensor of numbers. */
export function asNumbers(x: Operand, scope: EvaluationScope, like?: Operand): Value | number {
  return isKnown(x) ? quantity(x) : asTensor(x, scope, like);
}

/** The dtype of membranes. */
export function precisionOf({ env }: Pick<EvaluationScope, 'env'>): 'f32' | 'f64' {
  return env.get('$dtype') === 32 ? 'f32' : 'f64';
}

export function asCondition(x: Value | Pending, scope: EvaluationScope): Value {
  const value = x instanceof Pending ? scope.force(x) : x;
  return value.dtype === 'bool' ? value : scope.builder.ne(value, 0);
}
