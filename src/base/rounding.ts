/** Rounds to the nearest integer, halves to even, as IEEE 754, ONNX and QuantizeLinear do. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5) return down;
  if (rest > 0.5) return down + 1;
  return down % 2 === 0 ? down : down + 1;
}
