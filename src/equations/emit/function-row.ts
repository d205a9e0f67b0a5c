import { present } from '../../base/invariant.js';
import type { ProgramBuilder, SurrogateAttrs, Value } from '../../tensor/index.js';
import type { OnProblem, Range } from '../ranges.js';
import type { Expr } from '../types.js';
import type { Operand } from './operand.js';
import { type EvaluationScope, asNumbers, precisionOf } from './scope.js';

export type CallExpr = Extract<Expr, { kind: 'call' }>;

/** A call while a neuron is unrolled. */
export interface EmitCall {
  readonly expr: CallExpr;
  readonly scope: EvaluationScope;
  /** The arguments' values; none where the row is `lazy`. */
  readonly args: readonly Operand[];
  /** The value of an expression in the call's scope. */
  readonly evaluate: (expr: Expr) => Operand;
}

/** A call of which ranges are known. */
export interface RangeCall {
  readonly args: readonly Range[];
  readonly named: Readonly<Record<string, Range>>;
  /** How many units the neuron's states have. */
  readonly units: number;
  readonly onProblem: OnProblem;
}

/** Everything the compiler knows of a function of the equations. */
export interface FunctionRow {
  /** Names of its arguments by position. */
  readonly params: readonly string[];
  /** Names of the arguments that follow them by name. */
  readonly named?: readonly string[];
  readonly doc: string;
  /** Its derivative, as the documentation says it. */
  readonly gradient: string;
  /** Its value for numbers; missing where `emit` decides what is known. */
  readonly fold?: (...x: number[]) => number;
  /** What is known of its values, for deriving a neuron's levels. */
  readonly range: (call: RangeCall) => Range;
  /** Its value is a random number that a run is fed. */
  readonly draws?: true;
  /** Which arguments are worked out depends on their values. */
  readonly lazy?: true;
  /** Its value as Tensor IR, where not all arguments are known. */
  readonly emit: (call: EmitCall) => Operand;
}

/** The emission of a function that is an op of the Tensor IR, or a few. */
export function ops(
  emit: (builder: ProgramBuilder, args: readonly [Value, Value, Value], surrogate?: SurrogateAttrs) => Value,
): FunctionRow['emit'] {
  return ({ args, scope }) => {
    const tensors = args.map((x) => asNumbers(x, scope));
    // the builder takes numbers where it takes values, as long as one is a value: numbers alone are folded
    return emit(scope.builder, tensors as unknown as readonly [Value, Value, Value], scope.surrogate);
  };
}

/** The emission of a function of a random number: what is drawn, and what it becomes with the arguments. */
export function drawn(
  make: (scope: EvaluationScope, r: Value, ...args: readonly [Value | number, Value | number]) => Value,
): FunctionRow['emit'] {
  return ({ expr, args, scope }) => {
    const drawing = present(scope.draw, `lower: ${expr.callee} where no numbers are drawn`);
    const r = scope.builder.cast(drawing(expr), precisionOf(scope));
    const [a, b] = args.map((x) => asNumbers(x, scope)) as [Value | number, Value | number];
    return make(scope, r, a, b);
  };
}
