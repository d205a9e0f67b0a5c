import type { Normalisation } from '../data/index.js';
import type { BitPenalty, OtherOutput, TrainingLoss } from '../lower/program/index.js';
import type { GradientClip, OptimizerSpec } from '../tensor/index.js';

/** How the learning rate goes from epoch to epoch; `warmup` counts epochs. */
export type ScheduleSpec =
  | { readonly kind: 'constant'; readonly warmup: number }
  /** Times gamma after every `every` epochs. */
  | { readonly kind: 'step'; readonly warmup: number; readonly every: number; readonly gamma: number }
  /** Times gamma at each of these epochs, counted from the end of the warm-up. */
  | { readonly kind: 'milestones'; readonly warmup: number; readonly at: readonly number[]; readonly gamma: number }
  /**
   * Half a cosine from rate/start up to the rate over the share `rise` of the training, and another down to
   * rate/(start·end) (PyTorch's OneCycleLR, continuous in time).
   */
  | {
      readonly kind: 'one_cycle';
      readonly warmup: number;
      readonly rise: number;
      readonly start: number;
      readonly end: number;
    }
  /** Times factor whenever the loss (of the images held back, else of training) hasn't become less for more than `patience` epochs. */
  | {
      readonly kind: 'plateau';
      readonly warmup: number;
      readonly factor: number;
      readonly patience: number;
      readonly min: number;
    }
  /** Half a cosine from the optimiser's rate to `min`, falling at every step. */
  | { readonly kind: 'cosine'; readonly warmup: number; readonly min: number };

export interface Augmentation {
  /** Mirrored left to right with probability 1/2. */
  readonly flip: boolean;
  /** A border of so many zero pixels, then a crop of the old size at a random place; 0 for none. */
  readonly crop: number;
  /** Everything from so much smaller to so much larger, about the middle: by a factor of 1 − scale to 1 + scale. */
  readonly scale?: number;
  /** With this probability a rectangle of between `min` and `max` of an image becomes 0, as it is normalised (random erasing). */
  readonly erase?: { readonly probability: number; readonly min: number; readonly max: number };
  /** Each event is lost with this probability. */
  readonly drop?: number;
  /** A recording begins up to so many steps earlier or later. */
  readonly jitter?: number;
  /** Samples of a batch are mixed with one another, by shares from Beta(α, α). */
  readonly mixup?: number;
  /** Images get a rectangle of another one, its area by a share from Beta(α, α). */
  readonly cutmix?: number;
}

/** All that decides what a training does, beside the network and the data. */
export interface TrainSettings {
  readonly optimizer: OptimizerSpec;
  readonly rate: number;
  readonly schedule: ScheduleSpec;
  readonly loss: TrainingLoss;
  /** What the outputs are compared with, where it isn't classes: numbers of the data set, the input itself, or boxes. */
  readonly labels?: 'numbers' | 'input' | 'boxes';
  /** Of labels that are boxes: how many a sample has, those of no object included. */
  readonly objects?: number;
  /** Outputs behind the first, and what they are compared with. */
  readonly others?: readonly OtherOutput[];
  readonly augment: Augmentation;
  readonly normalisation: Normalisation;
  /** The normalisation is to be measured on the data, and isn't yet. */
  readonly measures?: true;
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  /** Only so many images, from the first. */
  readonly limit?: number;
  /** Share of the images held back to measure on, 0 for none. */
  readonly validation: number;
  /** Stop after so many epochs without a better validation accuracy (or loss, without validation). */
  readonly patience?: number;
  /** What gradients are held to. */
  readonly clip?: GradientClip;
  /** Factors on the learning rate and on the weight decay, by parameter; 1 where one isn't named. */
  readonly factors?: Readonly<Record<string, { readonly rate: number; readonly decay: number }>>;
  /** What is measured and written is a moving average of the weights, which keeps so much of itself at each step. */
  readonly average?: number;
  /** Ids of parameters that stay as they are. */
  readonly frozen?: readonly string[];
  /** A step keeps few values of its forward pass and computes the others again. */
  readonly memory?: 'low';
  /** SHA-256 of the teacher's file, where there is one. */
  readonly teacher?: string;
  /** The run whose weights it began with. */
  readonly from?: string;
  readonly bits?: BitTraining;
}

/** What a training with bits does beside the network's own step (ABA). */
export interface BitTraining {
  /** Terms of the regularised loss. */
  readonly penalties: readonly BitPenalty[];
  /** Which step sizes are renewed when their bits change. */
  readonly renewal: 'spikes' | 'weights' | 'all' | 'none';
  /** Share of the training from which on learned bits settle; they never do where it isn't given. */
  readonly settle?: number;
  /** Factors on the learning rate of learned bits and steps, by parameter. */
  readonly rateFactors: Readonly<Record<string, number>>;
}
