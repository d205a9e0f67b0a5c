/** Rounds to the nearest integer, halves to even, as IEEE 754, ONNX and QuantizeLinear do. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5) return down;
  if (rest > 0.5) return down + 1;
  return down % 2 === 0 ? down : down + 1;
}

/**
 * How a quantiser rounds: to the nearest integer, halves to the even one, to the odd one, up or down; or always down
 * (`floor`) or up (`ceil`). Up is towards +∞.
 */
export const roundings = ['half_even', 'half_odd', 'half_up', 'half_down', 'floor', 'ceil'] as const;

export type Rounding = (typeof roundings)[number];

/** x rounded so. Every way is monotone. */
export function roundBy(rounding: Rounding, x: number): number {
  switch (rounding) {
    case 'floor':
      return Math.floor(x);
    case 'ceil':
      return Math.ceil(x);
    default: {
      const even = roundHalfEven(x);
      const rest = x - even;
      if (Math.abs(rest) !== 0.5 || rounding === 'half_even') return even;
      if (rounding === 'half_odd') return even + Math.sign(rest);
      return rounding === 'half_up' ? Math.ceil(x) : Math.floor(x);
    }
  }
}

/**
 * How x + zero is rounded, as round(x + fraction) + whole with no fraction wherever that can be: it would swallow what is
 * small beside it, and with it the sign of x. x + ½ rounded with halves up is ⌊x⌋ + 1.
 */
export function withZeroPoint(
  rounding: Rounding,
  zero: number,
): { readonly rounding: Rounding; readonly fraction: number; readonly whole: number } {
  const whole = Math.floor(zero);
  const fraction = zero - whole;
  if (fraction === 0.5) {
    if (rounding === 'half_up') return { rounding: 'floor', fraction: 0, whole: whole + 1 };
    if (rounding === 'half_down') return { rounding: 'ceil', fraction: 0, whole };
    if (rounding === 'floor') return { rounding: 'half_up', fraction: 0, whole };
    if (rounding === 'ceil') return { rounding: 'half_down', fraction: 0, whole: whole + 1 };
  }
  return { rounding, fraction, whole };
}
