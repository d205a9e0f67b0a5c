import { codeBounds, coder } from '../base/quantiser.js';

/** Candidates of the clipping range (ABA Alg. 2). */
const candidates = 100;
/** The error's power (that of the authors' published fragment). */
const power = 2.4;
/** Values that the error is measured on, evenly spaced over the tensor. */
const sampled = 16_384;

/** A range of values to be quantised; lo is 0 for unsigned codes. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/**
 * The clipping range that quantises `values` to B bits with the least Σ|x − x_q|^2.4 (ABA Alg. 2): the values' own range
 * times 1/100 … 1, each tried with the step range/(2^B − 1). Signed codes lie on both sides of 0 whatever the values do, so
 * there the hundredths go on to the step whose codes reach the farthest value (of 0 … 1 in 3 bits, 1/3 and not 1/7).
 * Undefined where all values would be clipped to 0.
 */
export function bestRange(values: ArrayLike<number>, bits: number, signed: boolean): Range | undefined {
  let [lo, hi] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (x > hi) hi = x;
    else if (signed && x < lo) lo = x;
  }
  if (hi - lo <= 0) return undefined;
  const bounds = codeBounds(bits, signed);
  const farthest = Math.max(bounds.hi > 0 ? hi / bounds.hi : 0, bounds.lo < 0 ? lo / bounds.lo : 0);
  const step = stepOf({ lo, hi }, bits);
  const last = step > 0 ? Math.max(candidates, Math.ceil((candidates * farthest) / step)) : candidates;
  const code = coder(bits, signed);
  const stride = Math.max(1, Math.floor(values.length / sampled));
  let best: { readonly range: Range; readonly error: number } | undefined;
  for (let i = 1; i <= last; i++) {
    const range = { lo: (lo * i) / candidates, hi: (hi * i) / candidates };
    const error = errorOf(values, stride, stepOf(range, bits), code);
    if (best === undefined || error < best.error) best = { range, error };
  }
  return best?.range;
}

/** range/(2^B − 1) */
export function stepOf({ lo, hi }: Range, bits: number): number {
  return (hi - lo) / codeBounds(bits, false).hi;
}

function errorOf(values: ArrayLike<number>, stride: number, step: number, code: (v: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += stride) {
    const x = values[i]!;
    sum += Math.abs(x - step * code(x / step)) ** power;
  }
  return sum;
}
