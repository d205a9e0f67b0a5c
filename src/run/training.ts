import { percent } from '../base/figures.js';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostics/index.js';
import type { FolderClaim } from '../data/index.js';
import type { Engine } from '../engines/index.js';
import { opsById } from '../network/index.js';
import {
  type Checkpoint,
  type EpochProgress,
  type EpochRecord,
  Firing,
  type LoopOptions,
  type LoopResult,
  bestOf,
} from '../train/index.js';
import type { Findings } from '../workspace/findings.js';
import type { PlannedTraining } from '../workspace/planned-training.js';
import type { RunWriter } from '../workspace/run-writer.js';
import type { CommonOptions, OnProgress, Progress } from '../workspace/types.js';

/** Who hears of a training while it goes on. */
export interface TrainingHooks extends Pick<CommonOptions, 'onProgress'> {
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Receives at once what is also part of the outcome: a layer that doesn't fire. */
  readonly onWarning?: (warning: Diagnostic) => void;
  /** Steps between checkpoints within an epoch; none but that of a stop where missing. */
  readonly checkpointEvery?: number;
  /** A checkpoint within an epoch was written. */
  readonly onCheckpoint?: (at: { readonly epoch: number; readonly step: number }) => void;
  /** Whether the training is to stop behind its next step, which is kept. */
  readonly stopping?: () => boolean;
}

export interface TrainResult {
  /** Epochs that are done, earlier ones included. */
  readonly done: number;
  /** Accuracy on the images held back where there are any, else on the training images. */
  readonly best: {
    readonly epoch: number;
    /** Missing where labels are numbers or boxes; then there is their mean absolute error, or mean average precision. */
    readonly accuracy?: number;
    readonly mae?: number;
    readonly map50?: number;
    readonly map?: number;
    /** The accuracy is that on the images held back. */
    readonly validated: boolean;
    /** Where its weights lie. */
    readonly folder: string;
  };
  /** Its weights lie in the run folder. */
  readonly last: {
    readonly epoch: number;
    readonly accuracy?: number;
    readonly mae?: number;
    readonly map50?: number;
    readonly map?: number;
  };
  readonly run: string;
  /** The data set's name. */
  readonly data: string;
  /** Why it ended. */
  readonly stopped: LoopResult['stopped'];
  readonly engine: string;
}

/** A training that has its folder. */
export interface ClaimedTraining
  extends Pick<LoopOptions, 'trainee' | 'samples' | 'teacher'>, Pick<PlannedTraining, 'network' | 'settings' | 'data'> {
  readonly engine: Pick<Engine, 'name'>;
  /** Trains from the first epoch to the last. */
  readonly loop: (options: Omit<LoopOptions, 'engine'>) => Promise<LoopResult>;
  readonly threads: number | undefined;
  readonly writer: RunWriter;
  readonly claim: FolderClaim;
  /** Where to go on. */
  readonly from: Checkpoint | undefined;
}

/** Trains to the end; after each epoch everything that is needed to go on, and the network, lie in the run folder. */
export async function runTraining(
  { writer, claim, from, network, data, threads, engine, loop, ...training }: ClaimedTraining,
  hooks: TrainingHooks,
  findings: Findings,
): Promise<TrainResult> {
  const firing = new Firing(network);
  const records: EpochRecord[] = [...(from?.progress.records ?? [])];
  const byId = opsById(training.trainee.network);
  const result = await loop({
    ...training,
    ...(threads === undefined ? {} : { threads }),
    ...(from === undefined ? {} : { from }),
    placeOf: (op) => byId.get(op)?.place,
    now: () => performance.now(),
    onEpoch: (record, state) => {
      records.push(record);
      writer.save(claim, records, state);
      hooks.onEpoch?.(record);
      for (const warning of firing.look(record)) {
        findings.all.push(warning);
        hooks.onWarning?.(warning);
      }
    },
    every: hooks.checkpointEvery,
    ...(hooks.stopping === undefined ? {} : { stopping: hooks.stopping }),
    onCheckpoint: (state) => {
      writer.saveRunning(claim, records, state);
      hooks.onCheckpoint?.({ epoch: records.length + 1, step: state.running?.steps ?? 0 });
    },
    onPhase: phasesTo(hooks.onProgress),
    onProgress: (progress) => hooks.onProgress?.(progressOf(progress)),
  });
  return resultOf(result, { run: claim.folder, data, engine: engine.name });
}

/** Phases as progress: on their own, or with images done and in all. */
export function phasesTo(onProgress: OnProgress | undefined): NonNullable<LoopOptions['onPhase']> {
  return (phase, part) =>
    onProgress?.({ phase, ...(part === undefined ? { done: 0, silent: true } : { ...part, unit: 'images' }) });
}

function resultOf(
  { records, stopped }: LoopResult,
  { run, data, engine }: Pick<TrainResult, 'run' | 'data' | 'engine'>,
): TrainResult {
  const [best, last] = [bestOf(records), records.at(-1)];
  const shown = (record: EpochRecord | undefined): TrainResult['last'] => {
    const mae = record?.val_mae ?? record?.mae;
    const [map50, map] = [record?.val_map50 ?? record?.map50, record?.val_map ?? record?.map];
    if (map50 !== undefined && map !== undefined) return { epoch: record?.epoch ?? 0, map50, map };
    const figure = mae === undefined ? { accuracy: record?.val_accuracy ?? record?.accuracy ?? 0 } : { mae };
    return { epoch: record?.epoch ?? 0, ...figure };
  };
  return {
    done: records.length,
    best: {
      ...shown(best),
      validated: best?.val_loss !== undefined || best?.val_map !== undefined,
      folder: join(run, 'best'),
    },
    last: shown(last),
    run,
    data,
    stopped,
    engine,
  };
}

function progressOf(p: EpochProgress): Progress {
  const phase = `epoch ${p.epoch}/${p.epochs}`;
  const counted = { phase, done: p.done, total: p.total, unit: 'images' };
  if (p.done === 0) return counted;
  if (p.boxes === true) return { ...counted, detail: `loss ${p.loss.toFixed(4)}` };
  const figure = p.numbers ? `error ${p.accuracy.toPrecision(4)}` : percent(p.accuracy);
  return { ...counted, detail: `loss ${p.loss.toFixed(4)}  training ${figure}` };
}
