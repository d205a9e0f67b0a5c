import type { Tensor } from '../../base/dtype.js';

/** What a layer of neurons does on data: over all its neurons, steps and images. */
export interface LayerActivity {
  readonly id: string;
  /** −Σ p·log₂ p over the levels, in bits. */
  readonly entropy: number;
  /** Share of outputs that aren't 0. */
  readonly firing_rate: number;
  readonly levels: readonly { readonly value: number; readonly probability: number }[];
}

/** A layer whose outputs are counted: integers min…max times step. */
export interface CountedLayer {
  readonly id: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** Counts levels batch by batch. */
export class LevelCounter {
  readonly #counts: ReadonlyMap<string, Float64Array>;

  constructor(readonly layers: readonly CountedLayer[]) {
    this.#counts = new Map(layers.map(({ id, min, max }) => [id, new Float64Array(max - min + 1)]));
  }

  /** `train`: the outputs of a layer at all steps. */
  add(train: (id: string) => Tensor): void {
    for (const { id, min, step } of this.layers) {
      const counts = this.#counts.get(id)!;
      const { data } = train(id);
      for (let i = 0; i < data.length; i++) counts[Math.round(data[i]! / step) - min]!++;
    }
  }

  result(): readonly LayerActivity[] {
    return this.layers.map(({ id, min, step }) => {
      const counts = this.#counts.get(id)!;
      const total = counts.reduce((a, b) => a + b, 0);
      const levels = [...counts].map((count, i) => ({
        value: (i + min) * step,
        probability: total === 0 ? 0 : count / total,
      }));
      const entropy = levels.reduce((sum, { probability: p }) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
      const silent = levels[-min]?.probability ?? 0;
      return { id, entropy, firing_rate: total === 0 ? 0 : 1 - silent, levels };
    });
  }
}
