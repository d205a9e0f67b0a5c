import type { Tensor } from '../base/dtype.js';
import type { Cost } from '../cost/index.js';
import type { LayerActivity } from '../evaluate/index.js';
import type { Network } from '../network/index.js';
import type { EpochRecord } from '../train/index.js';

/** What a layer of neurons does on one image. */
export interface LayerTrace {
  readonly id: string;
  /** [T, …shape]: what it fires at each of its steps. */
  readonly train: Tensor;
  /** [silent + T, …shape]: its membranes when it fires. */
  readonly membranes: Tensor;
  /** Steps at which it takes in and doesn't fire yet. */
  readonly silent: number;
  /** Name of its first state. */
  readonly state: string;
  /** Its parameter `theta` where it has one. */
  readonly threshold?: number;
  /** [silent + T, …shape]: what its membranes are compared with, where its equations compare. */
  readonly thresholds?: Tensor;
}

/** A network run on one image. */
export interface SampleTrace {
  /** The image as the data set has it, in 0…1: [channels, height, width]. */
  readonly image: Tensor;
  /** Which image of which data set. */
  readonly data: string;
  readonly sample: number;
  readonly label: number;
  readonly predicted: number;
  readonly layers: readonly LayerTrace[];
}

/** What a network was measured to do on data. Fractions are 0…1. */
export interface Measured {
  readonly data: string;
  readonly samples: number;
  readonly accuracy: number;
  readonly source?: { readonly accuracy: number; readonly agreement: number };
  readonly spikes_per_neuron: number;
  /** Operations per image. */
  readonly opf: number;
  readonly latency_steps: number;
  /** Of an image, where it was measured. */
  readonly energy_joules?: number;
  readonly activity: readonly LayerActivity[];
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
  /** The log of a run folder. */
  readonly training?: readonly EpochRecord[];
}

export interface ReportContext {
  readonly title: string;
  readonly version: string;
  readonly targets: readonly ReportTarget[];
}
