import { roundBy, withZeroPoint } from '../../../base/rounding.js';
import type { Quantiser } from '../../../network/index.js';

/** Where a function of one value jumps: f(x) = levels[#{t ≤ x}] of the ascending thresholds t. */
export interface Staircase {
  readonly thresholds: readonly number[];
  readonly levels: readonly number[];
}

/** A real function, sampled where it may turn or jump. */
export interface Curve {
  readonly value: (x: number) => number;
  /** Arguments at which `value` jumps, ascending: it has its new value there. */
  readonly jumps: readonly number[];
  /** Arguments around which it may turn. */
  readonly around: readonly number[];
}

/** clip(round(x/scale) + zero, min, max); of what is no number, the lowest code. */
export function codeOf(x: number, { scale, zero, min, max, rounding = 'half_even' }: Quantiser): number {
  if (Number.isNaN(x)) return min;
  if (!Number.isFinite(x)) return x > 0 ? max : min;
  const by = withZeroPoint(rounding, zero);
  return Math.min(max, Math.max(min, roundBy(by.rounding, x / scale + by.fraction) + by.whole));
}

/** Magnitudes 2^-60 … 2^60, both signs and 0, 32 an octave; between 1/64 and 16 also evenly. */
export const samples: readonly number[] = [
  0,
  ...Array.from({ length: 120 * 32 + 1 }, (_, i) => 2 ** (i / 32 - 60)).flatMap((x) => [x, -x]),
  ...Array.from({ length: 16 * 64 }, (_, i) => (i + 1) / 64).flatMap((x) => [x, -x]),
];

/**
 * All steps of a quantised curve, in float64: between samples, jumps and turning points it is monotone, so a bisection
 * down to neighbouring numbers finds every step in between.
 */
export function staircaseOf(curve: Curve, quantiser: Quantiser): Staircase {
  const points = sampled(curve);
  const code = (x: number): number => codeOf(curve.value(x), quantiser);
  const thresholds: number[] = [];
  const levels = [code(points[0]!)];
  for (let i = 1; i < points.length; i++) {
    let at = points[i - 1]!;
    const last = code(points[i]!);
    for (let now = levels.at(-1)!; now !== last; now = levels.at(-1)!) {
      at = firstChange(code, at, points[i]!, now);
      thresholds.push(at);
      levels.push(code(at));
    }
  }
  // a table has a step, even where both sides of it are alike
  return thresholds.length === 0 ? { thresholds: [0], levels: [levels[0]!, levels[0]!] } : { thresholds, levels };
}

/** The steps of a quantised function of integer codes min … max, given in the units of the codes. */
export function staircaseOfCodes(min: number, max: number, level: (code: number) => number): Staircase {
  const thresholds: number[] = [];
  const levels = [level(min)];
  for (let code = min + 1; code <= max; code++) {
    const next = level(code);
    if (next === levels.at(-1)) continue;
    thresholds.push(code - 0.5);
    levels.push(next);
  }
  return thresholds.length === 0 ? { thresholds: [min], levels: [levels[0]!, levels[0]!] } : { thresholds, levels };
}

/** The least x in (from, to] whose code isn't `now`, the code of `from`, where the codes change once. */
function firstChange(code: (x: number) => number, from: number, to: number, now: number): number {
  let [low, high] = [from, to];
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (code(middle) === now) low = middle;
    else high = middle;
  }
}

/** Where to look, ascending: samples, both sides of each jump, and turning points. */
function sampled({ value, jumps, around }: Curve): readonly number[] {
  const given = [...samples, ...around, ...jumps, ...jumps.map(justBelow)].filter((x) => Number.isFinite(x));
  const points = [...new Set(given)].sort((a, b) => a - b);
  const isJump = new Set(jumps);
  const values = points.map(value);
  const turns: number[] = [];
  for (let i = 1; i + 1 < points.length; i++) {
    const [a, b, c] = [values[i - 1]!, values[i]!, values[i + 1]!];
    if (isJump.has(points[i]!) || isJump.has(points[i + 1]!)) continue;
    if ((b <= a && b <= c) || (b >= a && b >= c)) {
      if (a === b && b === c) continue;
      turns.push(turningPoint(value, points[i - 1]!, points[i + 1]!, b <= a && b <= c ? 1 : -1));
    }
  }
  return turns.length === 0 ? points : [...new Set([...points, ...turns])].sort((a, b) => a - b);
}

/** The least (sign 1) or greatest value between two arguments, where the function turns once: ternary search. */
function turningPoint(value: (x: number) => number, from: number, to: number, sign: number): number {
  let [low, high] = [from, to];
  for (let round = 0; round < 200 && high - low > 1e-15 * Math.abs(low + high); round++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (sign * value(a) <= sign * value(b)) high = b;
    else low = a;
  }
  return low + (high - low) / 2;
}

const view = new DataView(new ArrayBuffer(8));

/** The greatest number below x. */
function justBelow(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
