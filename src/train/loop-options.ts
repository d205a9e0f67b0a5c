import type { Tensor } from '../base/dtype.js';
import type { Place } from '../base/source.js';
import type { Engine } from '../engines/index.js';
import type { Checkpoint, RunningEpoch } from './checkpoint.js';
import type { EpochRecord } from './record.js';
import type { RenewalState } from './renewal.js';
import type { Samples } from './samples.js';
import type { TrainSettings } from './settings.js';
import type { SettlingState } from './settling.js';
import type { OpenTeacher } from './teacher.js';
import type { Trainee } from './trainee.js';

/** How far the running epoch is. */
export interface EpochProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly done: number;
  readonly total: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  /** Share of right classes, or where labels are numbers the mean absolute error. */
  readonly accuracy: number;
  readonly numbers: boolean;
  /** Of labels that are boxes there is no such figure in training: the loss alone. */
  readonly boxes?: true;
}

/** All that a checkpoint needs beside the records. */
export interface LoopState {
  readonly states: ReadonlyMap<string, Tensor>;
  /** Optimiser steps done. */
  readonly step: number;
  readonly renewal?: RenewalState;
  readonly settling?: SettlingState;
  /** Of a state within an epoch. */
  readonly running?: RunningEpoch;
}

export interface LoopOptions {
  readonly trainee: Trainee;
  readonly samples: Samples;
  readonly settings: TrainSettings;
  readonly engine: Engine;
  /** Who teaches the network, where the loss has a distillation. */
  readonly teacher?: OpenTeacher | undefined;
  readonly threads?: number;
  /** Where to go on. */
  readonly from?: Checkpoint;
  /** Called after each epoch with all that a checkpoint needs, before the next begins. */
  readonly onEpoch: (record: EpochRecord, checkpoint: LoopState) => void;
  /** Called within an epoch with all that a checkpoint needs: every `every` steps, and where the training is stopped. */
  readonly onCheckpoint?: (checkpoint: LoopState) => void;
  /** Steps between checkpoints within an epoch; none but the last where missing. */
  readonly every?: number | undefined;
  /** Whether the training is to stop behind the step that is under way. */
  readonly stopping?: () => boolean;
  readonly onProgress?: (progress: EpochProgress) => void;
  /** What else takes time: on its own, or with images done and in all. */
  readonly onPhase?: (phase: string, part?: { readonly done: number; readonly total: number }) => void;
  readonly now: () => number;
  /** Where the model file says what an op of the network is. */
  readonly placeOf: (op: string) => Place | undefined;
}

export interface LoopResult {
  readonly records: readonly EpochRecord[];
  /** `asked`: somebody stopped it within an epoch. */
  readonly stopped: 'epochs' | 'patience' | 'asked';
}

export type Figure = 'accuracy' | 'mae' | 'map';

/** What a training is judged by. */
export function figureOf(labels: TrainSettings['labels']): Figure {
  if (labels === 'boxes') return 'map';
  return labels === undefined ? 'accuracy' : 'mae';
}
