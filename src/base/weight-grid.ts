import { codeBounds, coder } from './quantiser.js';

/** Values on a grid of equal steps: value = code·scale. */
export interface Grid {
  /** May be negative: the code that −2^(B−1) has more than 2^(B−1) − 1 lies on the side where it helps. */
  readonly scale: number;
  readonly codes: Int32Array<ArrayBuffer>;
}

/** Clipping ranges tried first, as shares of the greatest |w|, and finer ones beside the best. */
const coarse = 24;
const fine = 8;
/** Rounds of least squares; each can only lessen the error. */
const rounds = 12;

/**
 * The grid of B-bit codes with the least squared error Σ(w − code·scale)²: clipping ranges are tried, then codes and
 * scale improve each other (the best scale for given codes is Σ w·code / Σ code²). One bit: sign(w)·mean|w|, which is
 * the exact optimum. Scales are float32 numbers.
 */
export function bestGrid(values: Float64Array, bits: number): Grid {
  const most = values.reduce((max, w) => Math.max(max, Math.abs(w)), 0);
  if (bits === 1) {
    const mean = values.reduce((sum, w) => sum + Math.abs(w), 0) / Math.max(1, values.length);
    return { scale: Math.fround(mean), codes: codesOf(values, 1, 1) };
  }
  if (most === 0) return { scale: 1, codes: new Int32Array(values.length) };
  const { lo, hi } = codeBounds(bits, true);
  // with many levels the two sides hardly differ, and the range is hardly clipped
  const sides = bits <= 6 ? [hi, lo] : [hi];
  let best = { scale: 0, error: Infinity };
  for (const end of sides) {
    const tried = (share: number): { scale: number; error: number; share: number } => {
      const scale = (most * share) / end;
      return { scale, share, error: squaredError(values, scale, lo, hi) };
    };
    const better = (a: ReturnType<typeof tried>, b: ReturnType<typeof tried>): typeof a => (b.error < a.error ? b : a);
    const first = Array.from({ length: coarse }, (_, i) => tried((i + 1) / coarse)).reduce(better);
    const around = Array.from({ length: 2 * fine + 1 }, (_, i) => first.share + (i - fine) / (coarse * (fine + 1)));
    const refined = refine(values, around.map(tried).reduce(better).scale, bits);
    if (refined.error < best.error) best = refined;
  }
  const scale = Math.fround(best.scale);
  return { scale, codes: codesOf(values, scale, bits) };
}

function refine(values: Float64Array, start: number, bits: number): { scale: number; error: number } {
  const { lo, hi } = codeBounds(bits, true);
  let best = { scale: start, error: squaredError(values, start, lo, hi) };
  for (let round = 0; round < rounds; round++) {
    const scale = leastSquares(values, best.scale, lo, hi);
    const error = squaredError(values, scale, lo, hi);
    if (!(error < best.error)) break;
    best = { scale, error };
  }
  return best;
}

/** The nearest code; ties don't matter to the error. */
function nearest(v: number, lo: number, hi: number): number {
  return Math.min(hi, Math.max(lo, Math.round(v)));
}

function squaredError(values: Float64Array, scale: number, lo: number, hi: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const miss = values[i]! - nearest(values[i]! / scale, lo, hi) * scale;
    sum += miss * miss;
  }
  return sum;
}

function leastSquares(values: Float64Array, scale: number, lo: number, hi: number): number {
  let product = 0;
  let square = 0;
  for (let i = 0; i < values.length; i++) {
    const code = nearest(values[i]! / scale, lo, hi);
    product += values[i]! * code;
    square += code * code;
  }
  return square === 0 ? scale : product / square;
}

function codesOf(values: Float64Array, scale: number, bits: number): Int32Array<ArrayBuffer> {
  const code = coder(bits, true);
  return Int32Array.from(values, (w) => code(w / scale));
}
