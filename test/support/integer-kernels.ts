/**
 * The integer operators of PULP's networks by whole numbers, one statement at a time as their kernels have them: division is
 * towards zero, >> towards −∞.
 */
const most = (row: readonly bigint[]): bigint => row.reduce((a, b) => (b > a ? b : a));
const held = (v: bigint, levels: bigint): bigint =>
  v < -levels / 2n ? -levels / 2n : v > levels / 2n - 1n ? levels / 2n - 1n : v;
const root = (v: bigint): bigint => {
  let r = 0n;
  while ((r + 1n) * (r + 1n) <= v) r++;
  return r;
};

/** The bits of a power of two. */
function log2(divisor: bigint): bigint {
  let bits = 0n;
  while (1n << bits < divisor) bits++;
  return bits;
}

export function requantShift(v: bigint, mul: bigint, add: bigint, div: bigint, levels: bigint): bigint {
  const bits = log2(div);
  return held((v * mul + add + (1n << (bits - 1n))) >> bits, levels);
}

export function iGelu(x: bigint, b: bigint, one: bigint): bigint {
  const sign = x > 0n ? 1n : x < 0n ? -1n : 0n;
  const q = sign * x > -b ? -b : sign * x;
  const d = q + b;
  const L = sign * (-(d * d) + one);
  return x * ((one + L) >> 1n);
}

export function iHardswish(x: bigint, sixth: bigint, three: bigint, six: bigint): bigint {
  let gate = x + three;
  if (gate < 0n) gate = 0n;
  if (gate > six) gate = six;
  return x * (gate * sixth);
}

export function iSoftmax(
  x: readonly bigint[],
  { a, b, c, log2, levels }: { a: bigint; b: bigint; c: bigint; log2: bigint; levels: bigint },
): bigint[] {
  const top = most(x);
  const y = x.map((v) => {
    const distance = v - top;
    let z = -(distance / log2);
    if (z > 31n) z = 31n;
    const p = distance + z * log2;
    return (a * (p + b) * (p + b) + c) >> z;
  });
  const sum = y.reduce((s, v) => s + v, 0n);
  return y.map((v) => (v * (levels - 1n)) / sum);
}

export function itaMax(x: readonly bigint[], levels: bigint): bigint[] {
  const top = most(x);
  const shift = x.map((v) => (top - v + 16n) >> 5n);
  const inverse = ((levels - 1n) * 256n) / shift.reduce((s, by) => s + (256n >> by), 0n);
  return shift.map((by) => inverse >> by);
}

export function itaPartialMax(x: readonly bigint[], levels: bigint, width: number): bigint[] {
  let [sum, top] = [0n, -128n];
  for (let at = 0; at < x.length; at += width) {
    const group = x.slice(at, at + width);
    const own = most(group);
    const by = own > top ? (own - top + 16n) >> 5n : 0n;
    top = own > top ? own : top;
    sum = (sum >> by) + group.reduce((s, v) => s + (256n >> ((top - v + 16n) >> 5n)), 0n);
  }
  const inverse = ((levels / 2n - 1n) * 256n) / sum;
  return x.map((v) => inverse >> ((top - v + 16n) >> 5n));
}

export function iLayerNorm(
  x: readonly bigint[],
  weight: readonly bigint[],
  bias: readonly bigint[],
  divisor: bigint,
  levels: bigint,
): bigint[] {
  const size = BigInt(x.length);
  const mean = x.reduce((s, v) => s + v, 0n) / size;
  const deviation = root(x.reduce((s, v) => s + (v - mean) * (v - mean), 0n) / size + 1n);
  return x.map((v, j) => held((((v - mean) * weight[j]!) / deviation + bias[j]!) >> log2(divisor), levels));
}

export function iRmsNorm(x: readonly bigint[], weight: readonly bigint[], divisor: bigint, levels: bigint): bigint[] {
  const deviation = root(x.reduce((s, v) => s + v * v, 0n) / BigInt(x.length) + 1n);
  return x.map((v, j) => held(((v * weight[j]!) / deviation) >> log2(divisor), levels));
}
