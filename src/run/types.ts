import type { CommonOptions } from '../workspace/types.js';
import type { Dataset, Normalisation } from '../data/index.js';
import type { StageDifference } from './exact-source.js';
import type { ClassPrecision } from '../detection/index.js';
import type { ClassScore, LayerActivity, LayerDifference, Regression } from './metrics/index.js';

export interface EvalOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  /** Also: accuracy at each stage of a conversion, and differences per layer. */
  readonly stages?: boolean;
  /** Also: accuracy by class, and which classes are taken for which. */
  readonly confusion?: boolean;
  /** Also: entropy, firing rate and level histogram of each layer of neurons. */
  readonly activity?: boolean;
  /** Takes the boxes that a detector finds, image by image. */
  readonly onBoxes?: (found: readonly FoundBox[]) => void;
}

/** A box that a detector finds, as COCO's results have it: [left, top, width, height] in the pixels of the image on the disk. */
export interface FoundBox {
  readonly image_id: number;
  readonly category_id: number;
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
}

/** When outputs of a network say something. */
export interface FirstSpike {
  /** The mean over the samples that have a spike; missing where none has. */
  readonly step?: number;
  readonly share: number;
}

/** What one output of several is worth; nothing where the data has no labels for it. */
export interface OutputScore {
  readonly name: string;
  readonly accuracy?: number;
  readonly regression?: Regression;
  readonly first_spike?: FirstSpike;
  /** With `confusion`, as in {@link EvalResult}. */
  readonly classes?: readonly ClassScore[];
  readonly confusion?: readonly (readonly number[])[];
}

/** Fractions are 0…1; the keys are those of `eval --json`. */
export interface EvalResult {
  readonly samples: number;
  /** Missing where labels are numbers. */
  readonly accuracy?: number;
  /** How far the outputs are from labels that are numbers. */
  readonly regression?: Regression;
  /** Of labels that are boxes: mean average precision by COCO's rule, and that of each class. */
  readonly map50?: number;
  readonly map?: number;
  readonly class_precision?: readonly (ClassPrecision & { readonly name?: string })[];
  /** Of a network with several outputs: each; the figures above are those of the first. */
  readonly outputs?: readonly OutputScore[];
  /**
   * For conversions: the source ANN's accuracy, and how often both predict the same; where labels are numbers, how far
   * its outputs are from them, and the network's from its.
   */
  readonly source?: {
    readonly accuracy?: number;
    readonly agreement?: number;
    readonly regression?: Regression;
    readonly difference?: Regression;
  };
  /** Of an output read out by its first spike: the mean step of the earliest one, from 1, and the share of samples that have one. */
  readonly first_spike?: FirstSpike;
  readonly spikes_per_neuron: number;
  /** Operations per frame (SWS eq. 10), mean over the samples. */
  readonly opf: number;
  readonly latency_steps: number;
  readonly seconds: number;
  readonly engine: string;
  /** Of codings whose trains carry means: accuracy of what is known after so many steps. */
  readonly by_steps?: readonly { readonly steps: number; readonly accuracy: number }[];
  /** With `confusion`, of labels that are classes: how right each is. */
  readonly classes?: readonly ClassScore[];
  /** Rows: the class that a sample has; columns: the one that is predicted. */
  readonly confusion?: readonly (readonly number[])[];
  /** Measured on the data, layer by layer. */
  readonly activity?: readonly LayerActivity[];
  /** `before`: against the stage before, of `exact` against `source`. */
  readonly stages?: readonly {
    readonly stage: string;
    readonly accuracy: number;
    readonly agreement: number;
    readonly before?: StageDifference;
  }[];
  readonly layers?: readonly LayerDifference[];
}
