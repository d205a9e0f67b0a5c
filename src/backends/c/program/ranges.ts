import type { DType, Tensor } from '../../../base/dtype.js';
import type { TensorOp } from '../../../tensor/index.js';
import { integerRange } from '../../../tensor/ops/elementwise.js';

/** Whole numbers between two bounds, which may be infinite; undefined where a value may be a fraction. */
export type Whole = { readonly lo: number; readonly hi: number } | undefined;

/** The range of a tensor of whole numbers. */
export function rangeOf({ data }: Tensor): Whole {
  let [lo, hi] = [Infinity, -Infinity];
  for (const x of data) {
    if (!Number.isInteger(x) || Object.is(x, -0)) return undefined;
    if (x < lo) lo = x;
    if (x > hi) hi = x;
  }
  return data.length === 0 ? undefined : { lo, hi };
}

const union = (parts: readonly Whole[]): Whole =>
  parts.every((part) => part !== undefined)
    ? { lo: Math.min(...parts.map(({ lo }) => lo)), hi: Math.max(...parts.map(({ hi }) => hi)) }
    : undefined;

function cast(to: DType, range: Whole): Whole {
  if (to !== 'i32' && to !== 'i8' && to !== 'u8') return range;
  const [lo, hi] = integerRange(to);
  return { lo: Math.max(lo, range?.lo ?? lo), hi: Math.min(hi, range?.hi ?? hi) };
}

/** The whole numbers that an op's result lies in, from those of its operands. */
export function wholeRange(op: TensorOp, inputs: readonly Whole[], from: readonly string[]): Whole {
  const [a, b, c] = inputs;
  switch (op.kind) {
    case 'cast':
      return cast(op.dtype, from[0] === 'bool' ? { lo: 0, hi: 1 } : a);
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
    case 'and':
    case 'or':
    case 'not':
      return { lo: 0, hi: 1 };
    case 'select':
      return union([b, c]);
    case 'concat':
      return union(inputs);
    case 'floor':
    case 'round':
      return a ?? { lo: -Infinity, hi: Infinity };
    case 'sign':
      return { lo: -1, hi: 1 };
    case 'neg':
      return a && { lo: -a.hi, hi: -a.lo };
    case 'abs':
      return a && { lo: 0, hi: Math.max(Math.abs(a.lo), Math.abs(a.hi)) };
    case 'add':
      return a && b && { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case 'sub':
      return a && b && { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case 'mul': {
      if (a === undefined || b === undefined) return undefined;
      const ends = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
      return ends.some(Number.isNaN) ? undefined : { lo: Math.min(...ends), hi: Math.max(...ends) };
    }
    case 'max':
      return a && b && { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case 'min':
      return a && b && { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case 'pad':
      return union([a, { lo: Number(op.attrs['value']), hi: Number(op.attrs['value']) }]);
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
