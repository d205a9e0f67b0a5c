import type { Tensor } from '../base/dtype.js';
import type { ProbeKind } from '../lower/program/index.js';

/** The codes of a network's layers on many images, a byte each where they fit, and which of them are as good as ties. */
export class KeptCodes {
  readonly #codes = new Map<string, Tensor>();
  readonly #ties = new Map<string, Tensor>();

  /** `tie`: so near in codes, what is rounded is a tie. */
  constructor(
    readonly ids: readonly string[],
    readonly tie: number,
  ) {}

  /** Takes what a batch gives of the layers; `start` is its first image. */
  take(start: number, found: (kind: ProbeKind, id: string) => Tensor | undefined): void {
    for (const id of this.ids) {
      const [codes, ties] = [found('codes', id), found('tie', id)];
      if (codes !== undefined) this.#codes.set(`${start} ${id}`, inBytes(codes));
      // few layers have any: nothing is kept of the others
      if (ties?.data.some((distance: number) => distance < this.tie) !== true) continue;
      const data = Uint8Array.from(ties.data, (distance: number) => (distance < this.tie ? 0 : 1));
      this.#ties.set(`${start} ${id}`, { dtype: 'u8', shape: ties.shape, data });
    }
  }

  codes(start: number, id: string): Tensor | undefined {
    return this.#codes.get(`${start} ${id}`);
  }

  /** 0 for a tie, 1 for none; missing where no value is one. */
  ties(start: number, id: string): Tensor | undefined {
    return this.#ties.get(`${start} ${id}`);
  }
}

function inBytes(codes: Tensor): Tensor {
  const fit = codes.data.every((code: number) => Number.isInteger(code) && code >= 0 && code <= 255);
  return fit ? { dtype: 'u8', shape: codes.shape, data: Uint8Array.from(codes.data) } : codes;
}
