import type { CommonOptions } from '../workspace/types.js';
import type { Dataset, Normalisation } from '../data/index.js';

/** What bits of weights are chosen for: a size in bytes, the size of so many bits everywhere, or an S-ACE. */
export interface BitBudget {
  readonly unit: 'bytes' | 'weight_bits' | 's_ace';
  readonly value: number;
}

/** What silent periods are chosen for: a latency in steps, or a bound on what is lost on the calibration images. */
export interface SilentGoal {
  readonly unit: 'latency' | 'agreement' | 'loss';
  /** Steps; or a fraction: of equal predictions at least, or of accuracy lost at most. */
  readonly value: number;
}

export interface AllocateOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** How many calibration images, from the first. */
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly goal: BitBudget | SilentGoal;
  /** The fewest and the most bits, or silent steps, of a layer. */
  readonly least?: number;
  readonly most?: number;
  readonly outDir?: string;
}

/** The keys are those of `allocate --json`. */
export interface AllocateResult {
  readonly goal: BitBudget | SilentGoal;
  readonly layers: readonly AllocatedLayer[];
  readonly total: {
    /** Weights and biases of the layers, their mean bits, and what `cost` counts. */
    readonly params?: number;
    readonly weight_bits?: number;
    readonly size_bytes?: number;
    readonly s_ace?: number;
    readonly latency_steps?: number;
    /** The sum of the layers' errors: what was made least. */
    readonly error: number;
  };
  /** Whether the sum of errors is proven to be the least. */
  readonly exact: boolean;
  /** The whole allocation measured on the calibration images, beside the network as it was. */
  readonly calibration: {
    readonly samples: number;
    readonly accuracy: number;
    readonly error: number;
    readonly source: { readonly accuracy: number; readonly agreement: number };
  };
  readonly outDir?: string;
  readonly files: readonly string[];
  /** What `eval` and `compile` take to get the result. */
  readonly target?: string;
  readonly seconds: number;
  readonly engine: string;
}

export interface AllocatedLayer {
  readonly id: string;
  readonly params?: number;
  readonly weight_bits?: number;
  readonly silent?: number;
  /** Error of the network's output when this layer alone has these bits or this period. */
  readonly error: number;
  /** Errors of all that was tried. */
  readonly tried: readonly { readonly value: number; readonly error: number }[];
}
