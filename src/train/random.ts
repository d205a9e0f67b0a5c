import { seededRandom } from '../base/random.js';

/** Numbers in [0, 1) that depend on `keys` alone: mulberry32 over an FNV-1a hash. */
export function randomStream(...keys: readonly (number | string)[]): () => number {
  let state = 0x811c9dc5;
  for (const char of keys.join(':')) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193);
  // neighbouring keys give neighbouring hashes: stir before the first number is drawn
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  state ^= state >>> 16;
  return seededRandom(state);
}

/** A stream that says how many numbers it has given, and can begin behind some of them. */
export class CountedStream {
  readonly #next: () => number;
  #given = 0;

  constructor(given: number, ...keys: readonly (number | string)[]) {
    this.#next = randomStream(...keys);
    while (this.#given < given) this.next();
  }

  get given(): number {
    return this.#given;
  }

  readonly next = (): number => {
    this.#given++;
    return this.#next();
  };
}

/** 0 … count−1 in random order (Fisher–Yates). */
export function shuffled(count: number, random: () => number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}
