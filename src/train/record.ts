import type { BitRecord } from './bits.js';
import type { RenewalEvent } from './renewal.js';
import type { SettlingEvent } from './settling.js';

/** One output's figures in an epoch: as those of the whole record, which are those of the first output. */
export type OutputRecord = Pick<EpochRecord, 'accuracy' | 'mae' | 'val_accuracy' | 'val_mae' | 'val_loss'>;

/** One epoch's line of the log. Accuracies and rates are fractions. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's steps, in training mode. */
  readonly loss: number;
  /** Of labels that are classes. */
  readonly accuracy?: number;
  /** Of labels that are numbers: mean absolute error. */
  readonly mae?: number;
  /** Of labels that are boxes, on training images in inference: mean average precision at an overlap of 0.5, and at 0.5 … 0.95. */
  readonly map50?: number;
  readonly map?: number;
  readonly val_map50?: number;
  readonly val_map?: number;
  /** On the images held back; only with `validation`. Of several outputs `val_loss` is the sum of theirs, each times its factor. */
  readonly val_accuracy?: number;
  readonly val_mae?: number;
  readonly val_loss?: number;
  /** Of a network with several outputs: the figures of each, by its name. */
  readonly outputs?: Readonly<Record<string, OutputRecord>>;
  /** Learning rate at the end of the epoch. */
  readonly rate: number;
  /** Spikes per neuron and time step, by layer. */
  readonly firing: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** With learned bits: the loss's terms, means over the epoch's steps. */
  readonly terms?: {
    readonly task: number;
    readonly weights?: number;
    readonly spikes?: number;
    readonly steps?: number;
  };
  /** With learned bits: those after the epoch. */
  readonly bits?: BitRecord;
  /** Step sizes that were renewed during the epoch. */
  readonly renewals?: readonly RenewalEvent[];
  /** Targets whose bits stay from a step of this epoch on. */
  readonly settled?: readonly SettlingEvent[];
}

/** Whether a record is better than another: by validation accuracy (of several outputs, validation loss) where there is one, else by training loss. */
export function isBetter(a: EpochRecord, b: EpochRecord | undefined): boolean {
  if (b === undefined) return true;
  // of several outputs the losses, each with its factor
  if (a.outputs !== undefined && a.val_loss !== undefined && b.val_loss !== undefined) return a.val_loss < b.val_loss;
  if (a.val_mae !== undefined && b.val_mae !== undefined) return a.val_mae < b.val_mae;
  if (a.val_map !== undefined && b.val_map !== undefined) return a.val_map > b.val_map;
  if (a.val_accuracy !== undefined && b.val_accuracy !== undefined) return a.val_accuracy > b.val_accuracy;
  return a.loss < b.loss;
}

/** The best of some records, the earliest where several are. */
export function bestOf(records: readonly EpochRecord[]): EpochRecord | undefined {
  let best: EpochRecord | undefined;
  for (const record of records) if (isBetter(record, best)) best = record;
  return best;
}

/** What is wrong with a value that should be a record; nothing where it is one. */
export function recordProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is no object';
  const record = value as Record<string, unknown>;
  const measures = ['accuracy', 'mae', 'map50', 'val_map50'];
  const measure = measures.find((key) => record[key] !== undefined) ?? 'accuracy';
  for (const key of ['epoch', 'loss', measure, 'rate', 'seconds']) {
    if (!Number.isFinite(record[key])) return `it has no number "${key}"`;
  }
  if (!Number.isInteger(record['epoch']) || (record['epoch'] as number) < 1) return 'its epoch is no whole number';
  for (const key of ['val_accuracy', 'val_mae', 'val_loss', 'map50', 'map', 'val_map50', 'val_map']) {
    if (record[key] !== undefined && !Number.isFinite(record[key])) return `"${key}" is no number`;
  }
  for (const key of ['firing', 'terms']) {
    if (!isNumbers(record[key] ?? {})) return `"${key}" holds more than numbers`;
  }
  const outputs = record['outputs'] ?? {};
  if (!isObject(outputs) || !Object.values(outputs).every(isNumbers))
    return '"outputs" holds more than numbers by output';
  for (const key of ['renewals', 'settled']) {
    const list = record[key] ?? [];
    if (!Array.isArray(list) || !list.every(isObject)) return `"${key}" is no list of events`;
  }
  return bitsProblem(record['bits']);
}

function bitsProblem(bits: unknown): string | undefined {
  if (bits === undefined) return undefined;
  if (!isObject(bits)) return '"bits" is no object';
  const { layers, ...means } = bits;
  const told = isNumbers(means) && isObject(layers) && Object.values(layers).every(isNumbers);
  return told ? undefined : '"bits" holds more than numbers by layer';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumbers(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(Number.isFinite);
}
