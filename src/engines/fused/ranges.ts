import type { Tensor } from '../../base/dtype.js';
import { type Program, type TensorOp, attrsOf } from '../../tensor/types.js';

/** Bounds of a value's elements, all of them integers. */
export interface IntegerRange {
  readonly lo: number;
  readonly hi: number;
}

/** Beyond this, f32 no longer holds every integer. */
export const exactInF32 = 2 ** 24;

/**
 * The values of a program that are provably integers within narrow bounds: spikes, which are
 * choices between constants, their prefixes, digits. What isn't provable is absent.
 */
export function integerRanges(program: Program, constants: ReadonlyMap<string, Tensor>): Map<string, IntegerRange> {
  const ranges = new Map<string, IntegerRange>();
  for (const [id, value] of constants) {
    const range = value.data.length > 4096 ? undefined : rangeOfData(value.data);
    if (range !== undefined) ranges.set(id, range);
  }
  for (const op of program.ops) {
    if (ranges.has(op.id)) continue;
    const range = rangeOf(
      op,
      op.inputs.map((id) => ranges.get(id)),
    );
    if (range !== undefined && Math.max(Math.abs(range.lo), Math.abs(range.hi)) < exactInF32) ranges.set(op.id, range);
  }
  return ranges;
}

/** The range of numbers that are all integers. */
export function rangeOfData(data: ArrayLike<number>): IntegerRange | undefined {
  let [lo, hi] = [Infinity, -Infinity];
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (!Number.isInteger(v)) return undefined;
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  return data.length === 0 ? undefined : { lo, hi };
}

function hull(ranges: readonly (IntegerRange | undefined)[]): IntegerRange | undefined {
  if (ranges.length === 0 || ranges.some((range) => range === undefined)) return undefined;
  return { lo: Math.min(...ranges.map((r) => r!.lo)), hi: Math.max(...ranges.map((r) => r!.hi)) };
}

function rangeOf(op: TensorOp, inputs: readonly (IntegerRange | undefined)[]): IntegerRange | undefined {
  const [a, b] = inputs;
  if (op.dtype === 'bool') return { lo: 0, hi: 1 };
  switch (op.kind) {
    case 'cast':
      if (op.dtype === 'i8') return a && clipped(a, -128, 127);
      return op.dtype === 'u8' ? a && clipped(a, 0, 255) : a;
    case 'slice':
    case 'concat':
    case 'reshape':
    case 'broadcast':
    case 'detach':
    case 'transpose':
    case 'round':
    case 'floor':
      return hull(inputs);
    case 'pad': {
      const { value } = attrsOf(op, 'pad');
      return Number.isInteger(value) ? hull([a, { lo: value, hi: value }]) : undefined;
    }
    case 'select':
      return hull(inputs.slice(1));
    case 'min':
      return a && b && { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case 'max':
      return a && b && { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case 'sign':
      return a && { lo: -1, hi: 1 };
    default:
      return arithmeticRange(op.kind, a, b);
  }
}

function clipped({ lo, hi }: IntegerRange, min: number, max: number): IntegerRange {
  return { lo: Math.min(Math.max(lo, min), max), hi: Math.min(Math.max(hi, min), max) };
}

function arithmeticRange(
  kind: string,
  a: IntegerRange | undefined,
  b: IntegerRange | undefined,
): IntegerRange | undefined {
  if (a === undefined) return undefined;
  if (kind === 'neg') return { lo: -a.hi, hi: -a.lo };
  if (kind === 'abs')
    return { lo: a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0, hi: Math.max(Math.abs(a.lo), Math.abs(a.hi)) };
  if (b === undefined) return undefined;
  if (kind === 'add') return { lo: a.lo + b.lo, hi: a.hi + b.hi };
  if (kind === 'sub') return { lo: a.lo - b.hi, hi: a.hi - b.lo };
  if (kind !== 'mul') return undefined;
  const products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return { lo: Math.min(...products), hi: Math.max(...products) };
}
