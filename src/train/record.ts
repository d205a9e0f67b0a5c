import type { BitRecord } from './bits.js';
import type { RenewalEvent } from './renewal.js';
import type { SettlingEvent } from './settling.js';

/** One epoch's line of the log. Accuracies and rates are fractions. */
export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's steps, in training mode. */
  readonly loss: number;
  readonly accuracy: number;
  /** On the images held back; only with `validation`. */
  readonly val_accuracy?: number;
  readonly val_loss?: number;
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

/** Whether a record is better than another: by validation accuracy where there is one, else by training loss. */
export function isBetter(a: EpochRecord, b: EpochRecord | undefined): boolean {
  if (b === undefined) return true;
  if (a.val_accuracy !== undefined && b.val_accuracy !== undefined) return a.val_accuracy > b.val_accuracy;
  return a.loss < b.loss;
}

/** The best of some records, the earliest where several are. */
export function bestOf(records: readonly EpochRecord[]): EpochRecord | undefined {
  let best: EpochRecord | undefined;
  for (const record of records) if (isBetter(record, best)) best = record;
  return best;
}
