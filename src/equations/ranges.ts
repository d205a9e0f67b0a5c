import { type BinaryOp, applyBinary } from './types.js';

/** What is known of a value: its bounds, and a number all its values are multiples of (0: none known). */
export interface Range {
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
}

/** Bounds that hold no level: one between two levels, or a lower one above the upper one. */
export type LevelProblem =
  | { readonly kind: 'uneven'; readonly bound: number }
  | { readonly kind: 'empty'; readonly low: number; readonly high: number };

export type OnProblem = (problem: LevelProblem) => void;

export const anything: Range = { lo: -Infinity, hi: Infinity, step: 0 };
export const truthRange: Range = { lo: 0, hi: 1, step: 1 };

export function exactly(value: number): Range {
  return { lo: value, hi: value, step: Math.abs(value) };
}

/** Interval arithmetic of an operator. */
export function binaryRange(op: BinaryOp, a: Range, b: Range): Range {
  switch (op) {
    case '+':
      return { lo: a.lo + b.lo, hi: a.hi + b.hi, step: commonStep(a, b) };
    case '-':
      return { lo: a.lo - b.hi, hi: a.hi - b.lo, step: commonStep(a, b) };
    case '*':
      return bounded([a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi], a.step * b.step);
    case '/':
      if (b.lo !== b.hi || b.lo === 0) return anything;
      return bounded([a.lo / b.lo, a.hi / b.lo], a.step / Math.abs(b.lo));
    case '^':
      return a.lo === a.hi && b.lo === b.hi ? exactly(a.lo ** b.lo) : anything;
    default:
      if (a.lo !== a.hi || b.lo !== b.hi) return truthRange;
      return exactly(Number(applyBinary(op, a.lo, b.lo)));
  }
}

/** The largest number both ranges' values are multiples of; any, where a range is 0 alone. */
export function commonStep(a: Range, b: Range): number {
  if (a.lo === 0 && a.hi === 0) return b.step;
  if (b.lo === 0 && b.hi === 0) return a.step;
  return commonDivisor(a.step, b.step);
}

export function commonRange(a: Range, b: Range): Range {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi), step: commonStep(a, b) };
}

/** Whether a number of levels isn't whole; the rounding of a product or a quotient doesn't count. */
export function isUneven(levels: number): boolean {
  return Number.isFinite(levels) && !isWhole(levels);
}

/** Whether a number is an integer but for the rounding of what it was computed by: 5.11 · 100 is. */
export function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) <= 1e-9 * Math.max(1, Math.abs(value));
}

/** The integer that a number is but for rounding (`isWhole`), else the number. */
export function wholeIfNear(value: number): number {
  return Number.isFinite(value) && isWhole(value) ? Math.round(value) : value;
}

/** Euclid's algorithm for reals; 0 where it finds none within rounding. */
function commonDivisor(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  const [large, small] = [Math.max(a, b), Math.min(a, b)];
  const rest = Math.abs(large - small * Math.round(large / small));
  const rounding = large * 2 ** -50;
  // a multiple, however many times
  if (rest <= rounding) return small;
  let [x, y] = [small, rest];
  const least = Math.max(x * 1e-6, rounding * 1e3);
  while (y > least) [x, y] = [y, Math.abs(x - y * Math.round(x / y))];
  return y > least * 1e-3 || x < least ? 0 : x;
}

function bounded(ends: readonly number[], step: number): Range {
  const known = ends.map((end) => (Number.isNaN(end) ? 0 : end));
  return { lo: Math.min(...known), hi: Math.max(...known), step: Number.isFinite(step) ? step : 0 };
}
