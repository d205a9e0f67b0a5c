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
