import { roundHalfEven } from './rounding.js';

/**
 * Integer bounds of a B-bit code: signed −2^(B−1) … 2^(B−1) − 1, unsigned 0 … 2^B − 1 (ABA eq. 6, 15); signed of one bit −1
 * and 1, its only codes (A.3, A.4: "Specially, when B = 1").
 */
export function codeBounds(bits: number, signed: boolean): { readonly lo: number; readonly hi: number } {
  if (signed && bits === 1) return { lo: -1, hi: 1 };
  return signed ? { lo: -(2 ** (bits - 1)), hi: 2 ** (bits - 1) - 1 } : { lo: 0, hi: 2 ** bits - 1 };
}

/** Bits that tell so many values apart, at least one: 1 for {0, 1}, 2 for {−1, 0, 1}, 8 for 0 … 255. */
export function bitsFor(values: number): number {
  return Math.max(1, Math.ceil(Math.log2(values)));
}

/**
 * From a real in steps, v = x/step, to its integer code (ABA eq. 6): clip(round half to even(v), lo, hi); signed codes of
 * one bit are −1 and 1, the sign.
 */
export function coder(bits: number, signed: boolean): (v: number) => number {
  if (signed && bits === 1) return (v) => (v >= 0 ? 1 : -1);
  const { lo, hi } = codeBounds(bits, signed);
  return (v) => Math.min(hi, Math.max(lo, roundHalfEven(v)));
}

/** The step size a quantiser starts with: 2·mean|x|/√hi (as LSQ does); 1 where all is 0. */
export function initialStep(values: ArrayLike<number>, bits: number, signed: boolean): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.abs(values[i]!);
  const mean = values.length === 0 ? 0 : sum / values.length;
  return mean === 0 ? 1 : (2 * mean) / Math.sqrt(codeBounds(bits, signed).hi);
}

/** The step size with which the greatest magnitude has the highest code; 1 where all is 0. */
export function rangeStep(values: ArrayLike<number>, bits: number): number {
  let greatest = 0;
  for (let i = 0; i < values.length; i++) greatest = Math.max(greatest, Math.abs(values[i]!));
  return greatest === 0 ? 1 : greatest / codeBounds(bits, true).hi;
}
