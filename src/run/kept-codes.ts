import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import type { Probed } from './layer-codes.js';

/** Codes of a layer on a batch, and which of them are as good as ties. */
interface Kept {
  readonly codes: Tensor;
  /** Distances from a tie, of values that are near one. */
  readonly near: ReadonlyMap<number, number>;
}

/** The codes of a network's layers on many images, a byte each where they fit, and which of them are as good as ties. */
export class KeptCodes {
  readonly #kept = new Map<string, Kept>();

  /** `tie`: so near in codes, what is rounded may be a tie. */
  constructor(readonly tie: number) {}

  /** Takes what a batch gives of a layer; `start` is its first image. */
  take(start: number, id: string, found: Probed): void {
    const near = new Map<number, number>();
    const distances = found('tie')?.data ?? [];
    for (let i = 0; i < distances.length; i++) if (distances[i]! < this.tie) near.set(i, distances[i]!);
    this.#kept.set(`${start} ${id}`, { codes: inBytes(present(found('codes'), `run: no codes of ${id}`)), near });
  }

  /** Whether anything that was taken is near a tie. */
  get hasTies(): boolean {
    return [...this.#kept.values()].some(({ near }) => near.size > 0);
  }

  codes(start: number, id: string): Tensor {
    return present(this.#kept.get(`${start} ${id}`), `run: no codes of ${id}`).codes;
  }

  /** How far a value is from a tie; infinite where that is farther than `tie`. */
  nearness(start: number, id: string): (i: number) => number {
    const near = this.#kept.get(`${start} ${id}`)?.near;
    return (i) => near?.get(i) ?? Infinity;
  }
}

function inBytes(codes: Tensor): Tensor {
  const { shape, data } = codes;
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = data[i]!;
    if (bytes[i] !== data[i]) return codes;
  }
  return { dtype: 'u8', shape, data: bytes };
}
