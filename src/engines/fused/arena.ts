/** A buffer of the arena: needed from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly id: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

const alignment = 64;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/**
 * Places buffers from address `start` so that those alive together don't overlap: largest
 * first, each at the lowest address that is free for its whole life.
 */
export function placeBuffers(
  lifetimes: readonly Lifetime[],
  start: number,
): { offsets: Map<string, number>; end: number } {
  const offsets = new Map<string, number>();
  const placed: (Lifetime & { readonly offset: number })[] = [];
  let end = start;
  for (const buffer of [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const rivals = placed
      .filter((p) => p.first <= buffer.last && buffer.first <= p.last)
      .sort((a, b) => a.offset - b.offset);
    let offset = start;
    for (const rival of rivals) {
      if (offset + buffer.bytes <= rival.offset) break;
      offset = Math.max(offset, aligned(rival.offset + rival.bytes));
    }
    offsets.set(buffer.id, offset);
    placed.push({ ...buffer, offset });
    end = Math.max(end, offset + buffer.bytes);
  }
  return { offsets, end };
}
