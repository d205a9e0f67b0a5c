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

/** A layer's codes on a batch, as they should be and as they are. */
export interface LayerCodes {
  /** Code − min. */
  readonly expected: ArrayLike<number>;
  /** Σβ^(Tc−k)·s_k, or a code that counts from another end: `shift` is added to it. */
  readonly found: ArrayLike<number>;
  readonly shift?: number | undefined;
  /** |u| at the end. */
  readonly membrane?: ArrayLike<number> | undefined;
  /** How far what was rounded is from a tie, in codes. */
  readonly nearness?: ((i: number) => number) | undefined;
}

/** Distance from a tie, in codes, that rounding in float64 can bridge; in float32. */
export const exactTie = 1e-6;
export const floatTie = 1e-3;

/** Collects differences over batches. */
export class DifferenceCounter {
  readonly #codes = new Map<string, { codes: number; differing: number; ties: number; max: number }>();
  readonly #residuals = new Map<string, { count: number; sum: number; max: number }>();
  readonly #layers: ReadonlyMap<string, ComparedLayer>;

  constructor(
    readonly layers: readonly ComparedLayer[],
    /** So near in codes, what is rounded is a tie. */
    readonly tie = exactTie,
  ) {
    this.#layers = new Map(layers.map((layer) => [layer.id, layer]));
  }

  has(id: string): boolean {
    return this.#layers.has(id);
  }

  /** Takes what a batch gives of a layer; of others nothing. */
  add(id: string, { expected, found, shift = 0, membrane, nearness }: LayerCodes): void {
    const layer = this.#layers.get(id);
    if (layer === undefined) return;
    const { amplitude, amplification, top } = layer;
    const seen = this.#codes.get(id) ?? { codes: 0, differing: 0, ties: 0, max: 0 };
    for (let i = 0; i < expected.length; i++) {
      const difference = Math.abs(amplitude * found[i]! + shift - expected[i]!);
      if (difference < 0.5) continue;
      seen.differing++;
      if (nearness !== undefined && nearness(i) < this.tie) seen.ties++;
      if (difference > seen.max) seen.max = difference;
    }
    seen.codes += expected.length;
    this.#codes.set(id, seen);
    if (membrane === undefined) return;
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

  /** Whether codes differ that are no ties. */
  get differs(): boolean {
    return [...this.#codes.values()].some(({ differing, ties }) => differing > ties);
  }

  /** Takes the codes that another one has counted of the same layers, and the residuals of a third. */
  absorb(codes: DifferenceCounter, residuals: DifferenceCounter): void {
    for (const [id, more] of codes.#codes) {
      const seen = this.#codes.get(id) ?? { codes: 0, differing: 0, ties: 0, max: 0 };
      const { codes: count, differing, ties, max } = more;
      this.#codes.set(id, {
        codes: seen.codes + count,
        differing: seen.differing + differing,
        ties: seen.ties + ties,
        max: Math.max(seen.max, max),
      });
    }
    for (const [id, { count, sum, max }] of residuals.#residuals) {
      const rest = this.#residuals.get(id) ?? { count: 0, sum: 0, max: 0 };
      this.#residuals.set(id, { count: rest.count + count, sum: rest.sum + sum, max: Math.max(rest.max, max) });
    }
  }

  result(): readonly LayerDifference[] {
    return this.layers.map(({ id }) => {
      const { codes, differing, ties, max } = present(this.#codes.get(id), `evaluate: no codes of ${id}`);
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
