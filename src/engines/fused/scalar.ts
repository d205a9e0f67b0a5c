import type { DType } from '../../base/dtype.js';
import { roundHalfEven } from '../../base/rounding.js';

type Fn = (dtype: DType, ...x: number[]) => number;

const truth = (value: boolean): number => (value ? 1 : 0);

/**
 * The element-wise primitives that kernels compute, as functions of numbers: used to fold
 * constants. Exponentials and powers are absent: a vector unit has none, and an approximation
 * would not equal the reference.
 */
const elementFunctions = {
  neg: (_, x) => -x!,
  abs: (_, x) => Math.abs(x!),
  sign: (_, x) => Math.sign(x!),
  floor: (_, x) => Math.floor(x!),
  round: (_, x) => roundHalfEven(x!),
  sqrt: (_, x) => Math.sqrt(x!),
  not: (_, x) => truth(x === 0),
  add: (_, x, y) => x! + y!,
  sub: (_, x, y) => x! - y!,
  mul: (_, x, y) => x! * y!,
  div: (dtype, x, y) => (dtype === 'i32' ? Math.trunc(x! / y!) : x! / y!),
  min: (_, x, y) => Math.min(x!, y!),
  max: (_, x, y) => Math.max(x!, y!),
  eq: (_, x, y) => truth(x === y),
  ne: (_, x, y) => truth(x !== y),
  lt: (_, x, y) => truth(x! < y!),
  le: (_, x, y) => truth(x! <= y!),
  gt: (_, x, y) => truth(x! > y!),
  ge: (_, x, y) => truth(x! >= y!),
  and: (_, x, y) => x! & y!,
  or: (_, x, y) => x! | y!,
  select: (_, c, x, y) => (c !== 0 ? x! : y!),
} as const satisfies Record<string, Fn>;

export type ElementKind = keyof typeof elementFunctions;

/** The result for constant operands, not yet rounded to `dtype`. */
export function foldElement(kind: ElementKind, dtype: DType, operands: readonly number[]): number {
  const fn: Fn = elementFunctions[kind];
  return fn(dtype, ...operands);
}

export function isElementKind(kind: string): kind is ElementKind {
  return Object.hasOwn(elementFunctions, kind);
}
