import { type Rounding, roundBy } from '../../base/rounding.js';

/** Besides the ways that a `quantize` op has: by magnitude, towards zero or away from it. */
export type CodeRounding = Rounding | 'away' | 'towards_zero' | 'half_away' | 'half_towards_zero';

/** What a rounding by magnitude is for codes from 0 up, and for codes below 0. */
export const byMagnitude: Readonly<Partial<Record<CodeRounding, readonly [Rounding, Rounding]>>> = {
  away: ['ceil', 'floor'],
  towards_zero: ['floor', 'ceil'],
  half_away: ['half_up', 'half_down'],
  half_towards_zero: ['half_down', 'half_up'],
};

/** x rounded to an integer. */
export function roundCode(rounding: CodeRounding, x: number): number {
  const signed = byMagnitude[rounding];
  return roundBy(signed === undefined ? (rounding as Rounding) : signed[x < 0 ? 1 : 0], x);
}
