/** The float that is so many floats below a number, rounded to a float: v ≥ θ for floats is v > the float below θ. */
export function stepsBelow(x: number, steps: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, x);
  if (steps === 0) return bits.getFloat32(0);
  const value = bits.getFloat32(0);
  // floats of one sign are ordered as their bits are; below 0 the other way round
  const towardsZero = value > 0 === steps > 0;
  if (value === 0) return steps > 0 ? -(2 ** -149) * steps : 2 ** -149 * -steps;
  bits.setInt32(0, bits.getInt32(0) + (towardsZero ? -Math.abs(steps) : Math.abs(steps)));
  return bits.getFloat32(0);
}
