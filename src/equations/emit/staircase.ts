import { type ProgramBuilder, type Value, surrogateGradient } from '../../tensor/index.js';
import type { Expr } from '../types.js';
import { type Operand, isKnown, isPowerOfTwo, quantity } from './operand.js';
import { type Compared, type EvaluationScope, type Staircase, asNumbers, asTensor } from './scope.js';

/**
 * Of so many boundaries every surrogate is a term. Of more, the nearest count, of surrogates whose tails never end;
 * rectangles and triangles have a closed form, which is fewer ops from a few boundaries on.
 */
const mostTerms = 16;
const fewTerms = 3;

/**
 * What `u / theta` compares: u with multiples of theta. A surrogate's distance and width are in units of the membrane, as
 * those of `u >= theta` are, whatever is divided or multiplied (by what is positive) to get levels.
 */
export function comparedIn(
  expr: Expr,
  { step, offset }: { readonly step: number; readonly offset: number },
  scope: EvaluationScope,
  evaluate: (expr: Expr) => Operand,
): Compared {
  const { builder } = scope;
  const positive = (x: Operand): boolean => isKnown(x) && quantity(x) > 0;
  let inner = expr;
  let unit: Value | number = step;
  let roundings = isPowerOfTwo(step) ? 0 : 1;
  let exact = true;
  while (inner.kind === 'binary' && (inner.op === '/' || inner.op === '*')) {
    const [left, right] = [evaluate(inner.left), evaluate(inner.right)];
    if (inner.op === '/' && !isKnown(left) && (!isKnown(right) || positive(right))) {
      const by = asNumbers(right, scope);
      if (typeof unit === 'number' && typeof by === 'number') unit *= by;
      else unit = unit === 1 ? by : builder.mul(by as Value, unit);
      if (typeof by !== 'number' || !isPowerOfTwo(by)) roundings++;
      inner = inner.left;
    } else if (inner.op === '*' && (positive(left) || positive(right))) {
      const factor = quantity((positive(left) ? left : right) as number);
      unit = typeof unit === 'number' ? unit / factor : builder.div(unit, factor);
      exact &&= isPowerOfTwo(factor);
      inner = positive(left) ? inner.right : inner.left;
    } else break;
  }
  return { membrane: asTensor(evaluate(inner) as Value, scope), unit, offset, exact: exact && roundings <= 1 };
}

/**
 * `level`, which is clip(⌊membrane/unit − offset⌋, lo, hi), with a surrogate at each boundary (SPEC §1): it is
 * lo + Σ_k [membrane ≥ (k + offset)·unit] over k = lo + 1 … hi, and each of these steps has the derivative of its surrogate.
 * The levels 0 and 1 are the comparison itself, a truth value, as `u >= theta` is.
 */
export function withSurrogates(level: Value, stairs: Staircase, { builder: b }: EvaluationScope): Value {
  const { membrane, unit, offset, exact, lo, hi, surrogate } = stairs;
  if (lo === 0 && hi === 1 && offset === 0 && exact) return b.ge(membrane, unit, surrogate);
  return following(b, level, stairs, slopes(b, stairs, lo + 1, hi));
}

/**
 * Whether a multi-level output fired, as a truth value: `s != 0`, or `s > 0` (`above`). The surrogates of the boundaries
 * next to level 0 act on it, so that a reset feels them as it feels those of a binary neuron.
 */
export function firedOf(output: Value, stairs: Staircase, above: boolean, { builder: b }: EvaluationScope): Value {
  const fired = b.cast(b.detach(above ? b.gt(output, 0) : b.ne(output, 0)), output.dtype);
  const parts: { readonly k: number; readonly sign: number }[] = [];
  if (stairs.lo < 1 && stairs.hi >= 1) parts.push({ k: 1, sign: 1 });
  if (!above && stairs.lo < 0 && stairs.hi >= 0) parts.push({ k: 0, sign: -1 });
  let result: Value = fired;
  for (const { k, sign } of parts) {
    const { toMembrane, toUnit } = slopes(b, stairs, k, k);
    const negated = (x: Value): Value => (sign < 0 ? b.neg(x) : x);
    result = following(b, result, stairs, {
      toMembrane: negated(toMembrane),
      ...(toUnit === undefined ? {} : { toUnit: negated(toUnit) }),
    });
  }
  return b.ge(result, 0.5, { surrogate: 'ste' });
}

interface Slopes {
  readonly toMembrane: Value;
  /** Where the unit is a value, which may learn. */
  readonly toUnit?: Value;
}

/** The value of `level` with these derivatives, and no other. */
function following(b: ProgramBuilder, level: Value, { membrane, unit }: Compared, slope: Slopes): Value {
  const moved = (x: Value, by: Value): Value => b.mul(b.sub(x, b.detach(x)), by);
  const value = b.add(level, moved(membrane, slope.toMembrane));
  return slope.toUnit === undefined || typeof unit === 'number' ? value : b.add(value, moved(unit, slope.toUnit));
}

/** Σ_k σ′(u − (k + offset)·unit) over the boundaries from … to, and its counterpart for the unit. */
function slopes(b: ProgramBuilder, stairs: Staircase, from: number, to: number): Slopes {
  const { offset, surrogate } = stairs;
  const u = b.detach(stairs.membrane);
  const unit = typeof stairs.unit === 'number' ? stairs.unit : b.detach(stairs.unit);
  const at = (k: Value | number): Value =>
    surrogateGradient(
      b,
      b.sub(u, typeof k === 'number' && typeof unit === 'number' ? k * unit : b.mul(unit as Value, k)),
      surrogate,
    );
  const isCompact = surrogate.surrogate === 'rectangle' || surrogate.surrogate === 'triangle';
  if (to - from < (isCompact && typeof unit === 'number' ? fewTerms : mostTerms)) {
    let [toMembrane, toUnit]: (Value | undefined)[] = [];
    for (let k = from; k <= to; k++) {
      const height = k + offset;
      const slope = at(height);
      toMembrane = toMembrane === undefined ? slope : b.add(toMembrane, slope);
      if (typeof unit === 'number' || height === 0) continue;
      const weighted = b.mul(slope, -height);
      toUnit = toUnit === undefined ? weighted : b.add(toUnit, weighted);
    }
    return { toMembrane: toMembrane!, ...(toUnit === undefined ? {} : { toUnit }) };
  }
  const position = b.div(u, unit);
  const y = offset === 0 ? position : b.sub(position, offset);
  const width = surrogate.surrogate_width ?? 1;
  const reach = (part: number): Value | number =>
    typeof unit === 'number' ? (part * width) / unit : b.div(b.scalar(u.dtype, part * width), unit);
  let toMembrane: Value;
  if (surrogate.surrogate === 'rectangle') toMembrane = rectangles(b, y, reach(0.5), { from, to, width });
  else if (surrogate.surrogate === 'triangle') toMembrane = triangles(b, y, reach(1), { from, to, width });
  else toMembrane = nearest(b, y, { from, to }, (k) => at(offset === 0 ? k : b.add(k, offset)));
  // of so many boundaries, those that act are where the membrane is
  return typeof unit === 'number' ? { toMembrane } : { toMembrane, toUnit: b.neg(b.mul(position, toMembrane)) };
}

interface Boundaries {
  readonly from: number;
  readonly to: number;
}

/** The last boundary at or below y, `from` − 1 for none; with `before`, the last one below it. */
function lastBelow(b: ProgramBuilder, y: Value, { from, to }: Boundaries, before = false): Value {
  const k = before ? b.neg(b.add(b.floor(b.neg(y)), 1)) : b.floor(y);
  return b.clip(k, from - 1, to);
}

/** Σ_k 1/w where |y − k| < reach. */
function rectangles(
  b: ProgramBuilder,
  y: Value,
  reach: Value | number,
  { width, ...range }: Boundaries & { readonly width: number },
): Value {
  const last = lastBelow(b, b.add(y, reach), range, true);
  const first = lastBelow(b, b.sub(y, reach), range);
  return b.mul(b.sub(last, first), 1 / width);
}

/** Σ_k max(0, 1 − |y − k|/reach)/w: the boundaries on either side of y, each side its number times its mean. */
function triangles(
  b: ProgramBuilder,
  y: Value,
  reach: Value | number,
  { width, ...range }: Boundaries & { readonly width: number },
): Value {
  const first = lastBelow(b, b.sub(y, reach), range);
  const middle = lastBelow(b, y, range);
  const last = lastBelow(b, b.add(y, reach), range);
  const side = (low: Value, high: Value, distance: (mean: Value) => Value): Value => {
    const mean = b.mul(b.add(b.add(low, high), 1), 0.5);
    return b.mul(b.sub(high, low), b.sub(b.scalar(y.dtype, 1), b.div(distance(mean), reach)));
  };
  const left = side(first, middle, (mean) => b.sub(y, mean));
  const right = side(middle, last, (mean) => b.sub(mean, y));
  return b.mul(b.add(left, right), 1 / width);
}

/** Σ of the nearest boundaries that there are. */
function nearest(b: ProgramBuilder, y: Value, { from, to }: Boundaries, slopeAt: (k: Value) => Value): Value {
  const middle = b.clip(b.round(y), from, to);
  let sum: Value | undefined;
  for (let i = -mostTerms / 2; i < mostTerms / 2; i++) {
    const k = b.add(middle, i);
    const there = b.and(b.ge(k, from), b.le(k, to));
    const slope = b.select(there, slopeAt(k), 0);
    sum = sum === undefined ? slope : b.add(sum, slope);
  }
  return sum!;
}
