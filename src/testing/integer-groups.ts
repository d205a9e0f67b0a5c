import type { Op } from '../network/types.js';

/** Softmax of integers by whole numbers, value by value: an independent judge of the layer and its neurons. */
export function integerSoftmax(
  row: ArrayLike<number>,
  { form, count, width = row.length }: Op<'integer_softmax'>['attrs'],
  thresholds: ArrayLike<number>,
  levels: ArrayLike<number>,
): number[] {
  const power = (distance: bigint): bigint => {
    let reached = 0;
    while (reached < thresholds.length && thresholds[reached]! <= Number(distance)) reached++;
    return BigInt(levels[reached]!);
  };
  const x = Array.from(row, (v) => BigInt(v));
  const greatest = (some: readonly bigint[]): bigint => some.reduce((a, b) => (b > a ? b : a));
  const top = greatest(x);
  const unit = power(0n);
  let [sum, most] = [0n, x[0]!];
  const size = form === 'partial' ? width : x.length;
  for (let start = 0; start < x.length; start += size) {
    const group = x.slice(start, start + size);
    const next = start === 0 ? greatest(group) : greatest([most, ...group]);
    sum = (sum * power(next - most > 0n ? next - most : 0n)) / unit;
    most = next;
    for (const v of group) sum += power(most - v);
  }
  return x.map((v) => {
    const own = power(top - v);
    if (form === 'quotients') return Number((own * BigInt(count)) / sum);
    return Number((((unit * BigInt(count)) / sum) * own) / unit);
  });
}

/** Normalisation of integers by whole numbers, which divide towards zero. */
export function integerNorm(
  row: ArrayLike<number>,
  { centred, divisor }: Op<'integer_norm'>['attrs'],
  gamma: ArrayLike<number>,
  beta: ArrayLike<number> | undefined,
): number[] {
  const x = Array.from(row, (v) => BigInt(v));
  const size = BigInt(x.length);
  const mean = centred ? x.reduce((sum, v) => sum + v, 0n) / size : 0n;
  const squares = x.reduce((sum, v) => sum + (v - mean) ** 2n, 0n) / size + 1n;
  let deviation = 1n;
  while ((deviation + 1n) ** 2n <= squares) deviation++;
  return x.map((v, i) => {
    const moved = ((v - mean) * BigInt(gamma[i]!)) / deviation + BigInt(beta?.[i] ?? 0);
    const by = BigInt(divisor);
    return Number(moved / by - (moved % by < 0n ? 1n : 0n));
  });
}
