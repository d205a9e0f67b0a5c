import type { DType, Tensor } from '../../base/dtype.js';
import type { OpBuilder, Value } from '../op-builder.js';
import { ShapeError } from '../dims.js';
import type { Dim, NoAttrs, Program, TensorOp, ValueInfo } from '../types.js';

/** What the evaluator of one op may read besides its operands. */
export interface EvalContext<A> {
  readonly attrs: A;
  /** The operands' symbolic types: which axis is the batch. */
  readonly inputs: readonly ValueInfo[];
  /** Result dtype; `f64` in place of `f32` when evaluating exactly. */
  readonly dtype: DType;
  /** Result shape with N filled in. */
  readonly shape: readonly number[];
  /** The batch size N. */
  readonly n: number;
  /** The reference evaluator for the body of an op, for the same N and precision. */
  readonly run: (body: Program, inputs: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;
}

/** What a gradient rule may read and the builder it writes to. */
export interface GradContext<A> {
  readonly b: OpBuilder;
  readonly op: TensorOp;
  readonly attrs: A;
  readonly inputs: readonly Value[];
  readonly out: Value;
  /** ∂loss/∂out: the result's dtype, or f32/f64 where the result is a bool. */
  readonly grad: Value;
}

export type GradientRule<A> = (context: GradContext<A>) => readonly (Value | undefined)[];

/** Why an op passes no gradient to its operands. */
export interface NoGradient {
  readonly none: string;
}

/** All that the compiler knows of one primitive, apart from how backends emit it. */
export interface OpDef<A = NoAttrs> {
  /** The number of operands; `many` is one or more. */
  readonly arity: number | 'many';
  /** The names of all attributes it may carry. */
  readonly attrs: readonly (keyof A & string)[];
  /** One line for people: what the result is. */
  readonly doc: string;
  /** Result type from operand types; throws {@link ShapeError} (a TypeError) on misuse. */
  readonly infer: (inputs: readonly ValueInfo[], attrs: A) => ValueInfo;
  /** The reference: slow, obvious, computed in float64 and rounded to the result's dtype. */
  readonly evaluate: (operands: readonly Tensor[], context: EvalContext<A>) => Tensor;
  /** Gradients of the operands (undefined: none), or why there is none; `body`: that of a loop (`scan-gradient.ts`). */
  readonly gradient: GradientRule<A> | NoGradient | 'body';
}

export const arithmetic: readonly DType[] = ['f32', 'f64', 'i32'];
export const floats: readonly DType[] = ['f32', 'f64'];

export function isFloat(dtype: DType): dtype is 'f32' | 'f64' {
  return dtype === 'f32' || dtype === 'f64';
}

/** Requires one of `allowed`. */
export function checkDtype(dtype: DType, allowed: readonly DType[], what: string): void {
  if (!allowed.includes(dtype)) throw new ShapeError(`${what}: works on ${allowed.join(', ')}, not on ${dtype}`);
}

/** Requires equal dtypes. */
export function checkSame(inputs: readonly ValueInfo[], what: string): DType {
  const dtype = inputs[0]!.dtype;
  for (const input of inputs) {
    if (input.dtype !== dtype) throw new ShapeError(`${what}: operands are ${dtype} and ${input.dtype}; cast one`);
  }
  return dtype;
}

/** Requires `length` non-negative integers. */
export function checkCounts(values: readonly number[], length: number, what: string, least = 0): void {
  if (values.length !== length || values.some((v) => !Number.isSafeInteger(v) || v < least)) {
    throw new ShapeError(`${what}: needs ${length} integers ≥ ${least}, got [${values.join(', ')}]`);
  }
}

/** An axis in 0…rank−1. */
export function checkAxis(axis: number, shape: readonly Dim[], what: string): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length) {
    throw new ShapeError(`${what}: axis ${axis} of a value with ${shape.length} axes`);
  }
}
