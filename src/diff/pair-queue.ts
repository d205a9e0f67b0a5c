/** Gives what was pushed with the highest score first, of equal scores what came first. A binary heap. */
export class PairQueue<T> {
  readonly #heap: { readonly score: number; readonly order: number; readonly item: T }[] = [];
  #order = 0;

  push(score: number, item: T): void {
    const heap = this.#heap;
    let at = heap.push({ score, order: this.#order++, item }) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#precedes(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): { readonly score: number; readonly item: T } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return undefined;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let best = at;
      if (left < heap.length && this.#precedes(left, best)) best = left;
      if (right < heap.length && this.#precedes(right, best)) best = right;
      if (best === at) return first;
      this.#swap(at, best);
      at = best;
    }
  }

  #precedes(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i]!, this.#heap[j]!];
    return a.score > b.score || (a.score === b.score && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const heap = this.#heap;
    [heap[i], heap[j]] = [heap[j]!, heap[i]!];
  }
}
