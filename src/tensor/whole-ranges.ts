import type { DType, Tensor } from '../base/dtype.js';
import { integerRange } from './ops/elementwise.js';
import { type TensorOp, attrsOf } from './types.js';

/** Whole numbers between two bounds, which may be infinite. */
export interface WholeRange {
  readonly lo: number;
  readonly hi: number;
}

/** undefined: a value may be a fraction. */
export type Whole = WholeRange | undefined;

/** The range of numbers, if all of them are whole. */
export function rangeOfData(data: ArrayLike<number>): Whole {
  let [lo, hi] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!Number.isInteger(x)) return undefined;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  return data.length === 0 ? undefined : { lo, hi };
}

/** The range of a tensor of whole numbers that integers hold, which know no −0. */
export function rangeOfTensor({ data }: Tensor): Whole {
  return data.some((x: number) => Object.is(x, -0)) ? undefined : rangeOfData(data);
}

/** What holds all of several ranges. */
export function hull(parts: readonly Whole[]): Whole {
  const known = parts.filter((part) => part !== undefined);
  if (known.length === 0 || known.length < parts.length) return undefined;
  return { lo: Math.min(...known.map(({ lo }) => lo)), hi: Math.max(...known.map(({ hi }) => hi)) };
}

function cast(to: DType, range: Whole): Whole {
  if (to !== 'i32' && to !== 'i8' && to !== 'u8') return range;
  const [lo, hi] = integerRange(to);
  const clipped = (x: number): number => Math.min(Math.max(x, lo), hi);
  return range === undefined ? { lo, hi } : { lo: clipped(range.lo), hi: clipped(range.hi) };
}

function product(a: WholeRange, b: WholeRange): Whole {
  const ends = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return ends.some(Number.isNaN) ? undefined : { lo: Math.min(...ends), hi: Math.max(...ends) };
}

/** The whole numbers that an op's result lies in, from those of its operands, of types `from`: what it computes element by element, or moves. */
export function wholeRange(op: TensorOp, inputs: readonly Whole[], from: readonly DType[]): Whole {
  const [a, b] = inputs;
  if (op.dtype === 'bool') return { lo: 0, hi: 1 };
  switch (op.kind) {
    case 'cast':
      return cast(op.dtype, from[0] === 'bool' ? { lo: 0, hi: 1 } : a);
    case 'select':
      return hull(inputs.slice(1));
    case 'concat':
      return hull(inputs);
    case 'floor':
    case 'round':
      return a ?? { lo: -Infinity, hi: Infinity };
    case 'sign':
      return { lo: -1, hi: 1 };
    case 'neg':
      return a && { lo: -a.hi, hi: -a.lo };
    case 'abs':
      return a && { lo: Math.max(0, a.lo, -a.hi), hi: Math.max(Math.abs(a.lo), Math.abs(a.hi)) };
    case 'add':
      return a && b && { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case 'sub':
      return a && b && { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case 'mul':
      return a && b && product(a, b);
    case 'max':
      return a && b && { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case 'min':
      return a && b && { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case 'pad': {
      const { value } = attrsOf(op, 'pad');
      return Number.isInteger(value) ? hull([a, { lo: value, hi: value }]) : undefined;
    }
    case 'detach':
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'broadcast':
    case 'maxpool':
    case 'reduce_max':
      return a;
    default:
      return undefined;
  }
}
