import type { Cost } from '../cost/index.js';
import type { ClassScore, LayerActivity, Regression } from '../run/metrics/index.js';
import type { FirstSpike, OutputScore } from '../run/types.js';
import type { DetectedImage } from '../run/detected-images.js';
import type { PixelSample } from '../run/pixel-outputs.js';
import type { SampleTrace } from '../run/sample-trace.js';
import type { Network } from '../network/index.js';
import type { EpochRecord } from '../train/index.js';

/** What a network was measured to do on data. Fractions are 0…1. */
export interface Measured {
  readonly data: string;
  readonly samples: number;
  /** Of labels that are classes. */
  readonly accuracy?: number;
  /** How far the outputs are from labels that are numbers. */
  readonly regression?: Regression;
  /** Of labels that are boxes: mean average precision at an overlap of 0.5, and at 0.5 … 0.95. */
  readonly map50?: number;
  readonly map?: number;
  /** Of an output read out by its first spike: when it comes. */
  readonly first_spike?: FirstSpike;
  /** Of several outputs: each. */
  readonly outputs?: readonly OutputScore[];
  readonly source?: { readonly accuracy: number; readonly agreement: number };
  readonly spikes_per_neuron: number;
  /** Operations per image. */
  readonly opf: number;
  readonly latency_steps: number;
  /** Of an image, where it was measured. */
  readonly energy_joules?: number;
  readonly activity: readonly LayerActivity[];
  /** How right each class is. */
  readonly classes?: readonly ClassScore[];
  /** Rows: the class that a sample has; columns: the one that is predicted. */
  readonly confusion?: readonly (readonly number[])[];
}

/** A network of the report with everything known of it. */
export interface ReportTarget {
  /** Short and distinct from the others': the config's name, or the file's. */
  readonly name: string;
  /** As the user wrote it. */
  readonly source: string;
  readonly network: Network;
  readonly cost: Cost;
  readonly measured?: Measured;
  /** Something to say of it beside the notes of passes. */
  readonly remark?: string;
  readonly trace?: SampleTrace;
  /** Of a detector: some images with what it finds in them. */
  readonly detected?: readonly DetectedImage[];
  /** Of a network that gives a number for each pixel: some images with what is wanted and what it gives. */
  readonly pixels?: readonly PixelSample[];
  /** The log of a run folder. */
  readonly training?: readonly EpochRecord[];
}

export interface ReportContext {
  readonly title: string;
  readonly version: string;
  readonly targets: readonly ReportTarget[];
}
