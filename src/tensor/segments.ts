import { isBatch } from './dims.js';
import { bytesOf } from './peak.js';
import type { TensorOp, ValueInfo } from './types.js';

/** A run of consecutive ops of a forward program, from `start` to before `end`. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** Ops in consecutive segments, and the values that are kept between them. */
export interface Segmented {
  readonly segments: readonly Segment[];
  readonly kept: ReadonlySet<string>;
}

/** What engines write to memory: the results of these ops, and what they read. Element-wise ops run where they are read. */
const products: ReadonlySet<TensorOp['kind']> = new Set(['conv2d', 'matmul', 'scan_output', 'maxpool']);

/** Whether a value grows with the batch: others are small, and stay. */
export function growsWithBatch({ shape, parts }: ValueInfo): boolean {
  return parts !== undefined || shape.some(isBatch);
}

/** A position behind an op, with what ops on both sides of it need. */
interface Cut {
  readonly at: number;
  readonly crossing: readonly string[];
}

/**
 * Cuts the ops of a forward pass where few values are needed on both sides, such that what lies in memory while a segment's
 * gradients are made is least: what is kept between segments up to it, what it computes itself, and two gradients of the
 * largest of its values. (With equal layers that is √L segments of √L layers, Chen et al. 2016.)
 */
export function segmented(ops: readonly TensorOp[]): Segmented {
  const sizes = new Map(
    ops.map((op) => [op.id, growsWithBatch(op) && op.parts === undefined ? bytesOf(op, 1) : 0] as const),
  );
  const cuts = cutsOf(ops, sizes);
  const stored = storedBytes(ops, sizes);
  const inside = (from: Cut, to: Cut): number => {
    const kept = new Set([...from.crossing, ...to.crossing]);
    let [bytes, largest] = [0, 0];
    for (let i = from.at; i < to.at; i++) {
      const own = stored[i]!;
      if (!kept.has(ops[i]!.id)) bytes += own;
      largest = Math.max(largest, own);
    }
    return bytes + 2 * largest;
  };
  const added = (from: Cut, to: Cut): number => {
    const already = new Set(from.crossing);
    return to.crossing.reduce((sum, id) => sum + (already.has(id) ? 0 : sizes.get(id)!), 0);
  };
  const costs = cuts.map((to, i) =>
    cuts.slice(0, i).map((from) => ({ inside: inside(from, to), added: added(from, to) })),
  );
  /** The segments with the fewest bytes kept that need no more than `most` at any time. */
  const within = (most: number): number[] | undefined => {
    const kept = cuts.map((_, i) => (i === 0 ? 0 : Infinity));
    const before = cuts.map(() => -1);
    for (let to = 1; to < cuts.length; to++) {
      for (let from = 0; from < to; from++) {
        const cost = costs[to]![from]!;
        const bytes = kept[from]! + cost.added;
        if (kept[from]! + cost.inside <= most && bytes < kept[to]!) [kept[to], before[to]] = [bytes, from];
      }
    }
    const path: number[] = [];
    for (let at = cuts.length - 1; at > 0; at = before[at]!) {
      if (before[at] === -1) return undefined;
      path.unshift(at);
    }
    return path;
  };
  let [low, high] = [0, costs.at(-1)?.[0]?.inside ?? 0];
  let best = within(high) ?? [cuts.length - 1];
  for (let i = 0; i < 24; i++) {
    const middle = (low + high) / 2;
    const path = within(middle);
    if (path === undefined) low = middle;
    else [best, high] = [path, middle];
  }
  const chosen = best.map((i) => cuts[i]!);
  return {
    segments: chosen.map(({ at }, i) => ({ start: chosen[i - 1]?.at ?? 0, end: at })),
    kept: new Set(chosen.flatMap(({ crossing }) => crossing)),
  };
}

/** The start, the end, and between them the positions where less is needed on both sides than at their neighbours. */
function cutsOf(ops: readonly TensorOp[], sizes: ReadonlyMap<string, number>): readonly Cut[] {
  const last = new Map<string, number>();
  ops.forEach((op, i) => op.inputs.forEach((id) => last.set(id, i)));
  const tuples = new Set(ops.filter(({ parts }) => parts !== undefined).map(({ id }) => id));
  const alive = new Set<string>();
  const found: Cut[] = [{ at: 0, crossing: [] }];
  const bytes = ops.map((op, i) => {
    for (const id of op.inputs) if (last.get(id) === i) alive.delete(id);
    if (last.has(op.id)) alive.add(op.id);
    const crossing = [...alive].filter((id) => sizes.get(id)! > 0);
    found.push({ at: i + 1, crossing });
    if ([...alive].some((id) => tuples.has(id))) return Infinity;
    return crossing.reduce((sum, id) => sum + sizes.get(id)!, 0);
  });
  const inner = found.slice(1, -1).filter(({ crossing }, i) => {
    const least = bytes[i]! <= (bytes[i - 1] ?? Infinity) && bytes[i]! <= bytes[i + 1]! && bytes[i]! < Infinity;
    const again = i > 0 && crossing.length > 0 && crossing.join() === found[i]!.crossing.join();
    return least && !again && crossing.length > 0;
  });
  return [found[0]!, ...inner, { at: ops.length, crossing: [] }];
}

/** Bytes that lie in memory of each op's result. */
function storedBytes(ops: readonly TensorOp[], sizes: ReadonlyMap<string, number>): readonly number[] {
  const stored = new Set<string>();
  for (const op of ops) {
    if (!products.has(op.kind)) continue;
    stored.add(op.id);
    if (op.kind !== 'scan_output') for (const id of op.inputs) stored.add(id);
  }
  return ops.map(({ id }) => (stored.has(id) ? sizes.get(id)! : 0));
}
