import { type Expr, type NeuronDef, partsOf } from './types.js';

/** Spikes of a neuron: integers min … max times `step`. */
export interface SpikeLevels {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** Bounds that hold no level: one between two levels, or a lower one above the upper one. */
export type LevelProblem =
  | { readonly kind: 'uneven'; readonly bound: number }
  | { readonly kind: 'empty'; readonly low: number; readonly high: number };

export type OnProblem = (problem: LevelProblem) => void;

/** What is known of a value: its bounds, and a number all its values are multiples of (0: none known). */
interface Range {
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
}

const anything: Range = { lo: -Infinity, hi: Infinity, step: 0 };
const truth: Range = { lo: 0, hi: 1, step: 1 };

/**
 * The levels a neuron's output can have, derived from its equations by interval arithmetic; nothing
 * where they don't bound it or don't hold it to multiples of a step. Learnable parameters count with
 * their present values.
 */
export function spikeLevels(
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  onProblem: OnProblem = () => undefined,
): SpikeLevels | undefined {
  const learned = new Set(def.params.flatMap(({ name, learn }) => (learn === undefined ? [] : [name])));
  if (def.fire.some(({ value }) => hasLearnedLevels(value, learned))) return undefined;
  const ranges = new Map<string, Range>(Object.entries(args).map(([name, value]) => [name, exactly(value)]));
  const units = Math.max(1, ...def.states.map((state) => (state.units ? rangeOf(state.units, ranges, 1).hi : 1)));
  for (const { name } of def.states) ranges.set(name, anything);
  ranges.set('t', { lo: 1, hi: Infinity, step: 1 });
  ranges.set('T', { lo: 1, hi: Infinity, step: 1 });
  ranges.set('unit', { lo: 1, hi: units, step: 1 });
  for (const { target, value } of [...def.charge, ...def.fire]) {
    const isState = def.states.some((state) => state.name === target);
    ranges.set(target, isState ? anything : rangeOf(value, ranges, units, onProblem));
  }
  const { lo, hi, step } = ranges.get('s') ?? anything;
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return undefined;
  if (lo === 0 && hi === 0) return { min: 0, max: 0, step: 1 };
  if (step === 0) return undefined;
  return { min: Math.round(lo / step), max: Math.round(hi / step), step };
}

/** Whether a call of `levels` has bounds or a step that training would move. */
function hasLearnedLevels(expr: Expr, learned: ReadonlySet<string>): boolean {
  const names = (part: Expr): boolean => (part.kind === 'name' ? learned.has(part.name) : partsOf(part).some(names));
  const own = expr.kind === 'call' && expr.callee === 'levels' && Object.values(expr.named).some(names);
  return own || partsOf(expr).some((part) => hasLearnedLevels(part, learned));
}

function exactly(value: number): Range {
  return { lo: value, hi: value, step: Math.abs(value) };
}

function rangeOf(
  expr: Expr,
  ranges: ReadonlyMap<string, Range>,
  units: number,
  onProblem: OnProblem = () => undefined,
): Range {
  const of = (inner: Expr): Range => rangeOf(inner, ranges, units, onProblem);
  switch (expr.kind) {
    case 'number':
      return exactly(expr.value);
    case 'name':
      return ranges.get(expr.name) ?? anything;
    case 'unary': {
      if (expr.op === 'not') return truth;
      const { lo, hi, step } = of(expr.operand);
      return { lo: -hi, hi: -lo, step };
    }
    case 'binary':
      return binaryRange(expr.op, of(expr.left), of(expr.right));
    case 'call':
      return callRange(expr, of, units, onProblem);
  }
}

function binaryRange(op: string, a: Range, b: Range): Range {
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
      return truth;
  }
}

function callRange(
  expr: Expr & { kind: 'call' },
  of: (inner: Expr) => Range,
  units: number,
  onProblem: OnProblem,
): Range {
  const args = expr.args.map(of);
  const [a = anything, b = anything, c = anything] = args;
  switch (expr.callee) {
    case 'where': {
      if (a.lo === a.hi) return a.lo === 0 ? c : b;
      return { lo: Math.min(b.lo, c.lo), hi: Math.max(b.hi, c.hi), step: commonStep(b, c) };
    }
    case 'clip': {
      // levels cut off between two of them: the greatest output would be no level
      for (const { lo, hi } of [b, c])
        if (lo === hi && a.step > 0 && isUneven(hi / a.step)) onProblem({ kind: 'uneven', bound: hi });
      if (b.lo > c.hi) onProblem({ kind: 'empty', low: b.lo, high: c.hi });
      const step = commonStep(a, commonRange(b, c));
      return { lo: Math.min(Math.max(a.lo, b.lo), c.hi), hi: Math.max(Math.min(a.hi, c.hi), b.lo), step };
    }
    case 'min':
      return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi), step: commonStep(a, b) };
    case 'max':
      return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi), step: commonStep(a, b) };
    case 'floor':
      return { lo: Math.floor(a.lo), hi: Math.floor(a.hi), step: 1 };
    case 'round':
      return { lo: Math.round(a.lo), hi: Math.round(a.hi), step: 1 };
    case 'sign':
      return { lo: -1, hi: 1, step: 1 };
    case 'abs':
      return { lo: 0, hi: Math.max(Math.abs(a.lo), Math.abs(a.hi)), step: a.step };
    case 'sigmoid':
      return { lo: 0, hi: 1, step: 0 };
    case 'detach':
      return a;
    case 'tanh':
      return { lo: -1, hi: 1, step: 0 };
    case 'sum':
      return { lo: a.lo * units, hi: a.hi * units, step: a.step };
    case 'levels':
      return levelsRange(expr, of, onProblem);
    default:
      return anything;
  }
}

function isUneven(levels: number): boolean {
  return Number.isFinite(levels) && Math.abs(levels - Math.round(levels)) > 1e-9 * Math.max(1, Math.abs(levels));
}

function levelsRange(expr: Expr & { kind: 'call' }, of: (inner: Expr) => Range, onProblem: OnProblem): Range {
  const { min, max, step } = expr.named;
  if (min === undefined || max === undefined || step === undefined) return anything;
  const size = of(step);
  if (size.lo !== size.hi || !(size.lo > 0)) return anything;
  const [low, high] = [of(min).lo, of(max).hi];
  if (low > high) onProblem({ kind: 'empty', low: low * size.lo, high: high * size.lo });
  else for (const bound of [low, high]) if (isUneven(bound)) onProblem({ kind: 'uneven', bound });
  return { lo: low * size.lo, hi: high * size.lo, step: size.lo };
}

/** The largest number both ranges' values are multiples of; any, where a range is 0 alone. */
function commonStep(a: Range, b: Range): number {
  if (a.lo === 0 && a.hi === 0) return b.step;
  if (b.lo === 0 && b.hi === 0) return a.step;
  return commonDivisor(a.step, b.step);
}

function commonRange(a: Range, b: Range): Range {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi), step: commonStep(a, b) };
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
