/**
 * A sum that a node reads, as its edges don't say it: which sums it is made of, each behind those that it reads, and under which ids.
 * A number is an earlier one of the list, a name a node.
 */
export type Sums = readonly (readonly [id: string, ...of: (number | string)[]])[];

/** The sums of a node's metadata; undefined where they are no sums, or read something else than the node's edges say. */
export function parseSums(text: string, edges: readonly string[]): Sums | undefined {
  let sums: unknown;
  try {
    sums = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(sums) || sums.length === 0) return undefined;
  const used: unknown[] = [];
  for (const [i, sum] of (sums as unknown[]).entries()) {
    if (!Array.isArray(sum) || sum.length < 3 || typeof sum[0] !== 'string') return undefined;
    const read = sum.slice(1) as unknown[];
    if (!read.every((one) => typeof one === 'string' || (Number.isInteger(one) && Number(one) >= 0 && Number(one) < i)))
      return undefined;
    used.push(...read);
  }
  // each once, but for the last sum, which the node reads
  const wanted = [...edges, ...sums.slice(1).map((_, i) => i)];
  const distinct = new Set(used);
  const isSame = distinct.size === used.length && used.length === wanted.length;
  return isSame && wanted.every((one) => distinct.has(one)) ? (sums as unknown as Sums) : undefined;
}
