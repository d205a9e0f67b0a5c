import type { Tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';

/** How a layer's codes in the spiking network differ from those of the quantised network, and what its neurons keep. */
export interface LayerDifference {
  readonly id: string;
  readonly codes: number;
  readonly differing: number;
  readonly max_difference: number;
  /** Of those that differ: how many where what was rounded is as good as a tie. */
  readonly ties?: number;
  readonly mean_residual: number;
  readonly max_residual: number;
}

/** A layer to compare. */
export interface ComparedLayer {
  readonly id: string;
  /** Spike amplitude θ: the spiking code is amplitude·level. */
  readonly amplitude: number;
  /** β^Ts: the membrane's amplification over the silent period. */
  readonly amplification: number;
  /** The greatest level a train can carry. */
  readonly top: number;
}

/** Distance from a tie, in codes, that rounding in float64 can bridge; in float32. */
export const exactTie = 1e-6;
export const floatTie = 1e-3;

/** Collects differences over batches. */
export class DifferenceCounter {
  readonly #codes = new Map<string, { codes: number; differing: number; ties: number; max: number }>();
  readonly #residuals = new Map<string, { count: number; sum: number; max: number }>();

  constructor(
    readonly layers: readonly ComparedLayer[],
    /** So near in codes, what is rounded is a tie. */
    readonly tie = exactTie,
  ) {}

  /** `reference`: code − min per layer; `levels`: Σβ^(Tc−k)·s_k; `membranes`: |u| at the end; `ties`: see the probe; `only`: not of all layers. */
  add(
    reference: (id: string) => Tensor | undefined,
    levels: (id: string) => Tensor | undefined,
    membranes: (id: string) => Tensor | undefined,
    ties?: (id: string) => Tensor | undefined,
    only?: ReadonlySet<string>,
  ): void {
    for (const { id, amplitude, amplification, top } of this.layers) {
      if (only?.has(id) === false) continue;
      const expected = present(reference(id), `evaluate: no reference codes of ${id}`).data;
      const found = present(levels(id), `evaluate: no codes of ${id}`).data;
      const seen = this.#codes.get(id) ?? { codes: 0, differing: 0, ties: 0, max: 0 };
      const near = ties?.(id)?.data;
      for (let i = 0; i < expected.length; i++) {
        const difference = Math.abs(amplitude * found[i]! - expected[i]!);
        if (difference < 0.5) continue;
        seen.differing++;
        if (near !== undefined && near[i]! < this.tie) seen.ties++;
        if (difference > seen.max) seen.max = difference;
      }
      seen.codes += expected.length;
      this.#codes.set(id, seen);
      const membrane = membranes(id)?.data;
      if (membrane === undefined) continue;
      const rest = this.#residuals.get(id) ?? { count: 0, sum: 0, max: 0 };
      for (let i = 0; i < membrane.length; i++) {
        const residual = membrane[i]! / amplification;
        // a neuron held at its bounds keeps what it may not emit: that is clipping, not residual
        if (residual > 0.5 && (found[i]! <= 0 || found[i]! >= top)) continue;
        rest.count++;
        rest.sum += residual;
        if (residual > rest.max) rest.max = residual;
      }
      this.#residuals.set(id, rest);
    }
  }

  result(): readonly LayerDifference[] {
    return this.layers.map(({ id }) => {
      const { codes, differing, ties, max } = this.#codes.get(id) ?? { codes: 0, differing: 0, ties: 0, max: 0 };
      const residual = this.#residuals.get(id) ?? { count: 0, sum: 0, max: 0 };
      return {
        id,
        codes,
        differing,
        max_difference: max,
        ties,
        mean_residual: residual.count === 0 ? 0 : residual.sum / residual.count,
        max_residual: residual.max,
      };
    });
  }
}
