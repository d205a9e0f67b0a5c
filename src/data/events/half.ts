/** The number of half precision (IEEE 754 binary16) that 16 bits stand for. */
export function fromHalf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest number of half precision, ties to even. */
export function toHalf(value: number): number {
  const size = Math.abs(value);
  if (!(size > 0) || size === Infinity) return value;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // log2 may be off by one next to a power of two; the rounding below is the same on both sides of it
  const unit = 2 ** (exponent - 10);
  const rounded = nearestEven(size / unit) * unit;
  return Math.sign(value) * (rounded >= 65520 ? Infinity : rounded);
}

function nearestEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}
