import type { Tensor } from '../base/dtype.js';

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
