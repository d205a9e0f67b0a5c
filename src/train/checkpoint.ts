import { createHash } from 'node:crypto';
import type { Tensor } from '../base/dtype.js';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { decodeSafetensors, encodeSafetensors } from '../base/safetensors.js';
import { isFile, readBytes } from '../data/index.js';
import { type Identity, differences } from './identity.js';
import { type EpochRecord, recordProblem } from './record.js';
import type { RenewalEvent, RenewalState } from './renewal.js';
import type { SettlingEvent, SettlingState } from './settling.js';

/** What a training needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Weights, running statistics and the optimiser's slots, by name. */
  readonly states: ReadonlyMap<string, Tensor>;
  readonly progress: CheckpointProgress;
}

/** How far the epoch is in which a checkpoint was written. */
export interface RunningEpoch {
  /** Steps of it done. */
  readonly steps: number;
  /** Random numbers that the augmentation of these steps took. */
  readonly drawn: number;
  /** Sums over these steps, and the last learning rate. */
  readonly loss: number;
  readonly correct: number;
  readonly rate: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly others: Readonly<Record<string, number>>;
  readonly renewals: readonly RenewalEvent[];
  readonly settled: readonly SettlingEvent[];
  /** It took so long. */
  readonly seconds: number;
  /** Images of a step where several processes of `train.py` share them. */
  readonly images?: number;
}

export interface CheckpointProgress {
  /** What must not change between stop and resume. */
  readonly identity: Identity;
  /** Epochs done. */
  readonly epoch: number;
  /** Optimiser steps done. */
  readonly step: number;
  readonly records: readonly EpochRecord[];
  /** Of a checkpoint within an epoch. */
  readonly running?: RunningEpoch;
  /** SHA-256 of the weights file of the best epoch, once there is one. */
  readonly best?: string;
  /** What the observers of step sizes remember. */
  readonly renewal?: RenewalState;
  readonly settling?: SettlingState;
}

const format = '2';

/**
 * The bytes of a checkpoint: one file holds tensors and progress, and a hash over both. Non-finite states are never
 * written.
 */
export function checkpointBytes({ states, progress }: Checkpoint): Uint8Array {
  for (const [name, { data }] of states) {
    if (data.some((x) => !Number.isFinite(x))) fail('train/not-finite', { name, epoch: progress.epoch });
  }
  const text = JSON.stringify(progress);
  return encodeSafetensors(states, { format, progress: text, sha256: hashOf(states, text) });
}

/** What a checkpoint has to belong to. */
export interface Expected {
  readonly identity: Identity;
  /** Its states have these types and shapes. */
  readonly states: ReadonlyMap<string, Tensor>;
  /** What is wrong with a progress, as far as the network and its bits say it. */
  readonly problemOf?: (progress: CheckpointProgress) => string | undefined;
  /** In what the network differs, where it has the same states but isn't the same. */
  readonly otherNetwork: () => string;
}

/** Reads a checkpoint of the training that is expected. */
export function readCheckpoint(path: string, { identity, states, problemOf, otherNetwork }: Expected): Checkpoint {
  if (!isFile(path)) fail('train/no-checkpoint', { path });
  const read = decodeSafetensors(readBytes(path), path);
  if (read.value === undefined) throw new DiagnosticError(read.diagnostics);
  const { tensors, metadata } = read.value;
  const progress = parseProgress(path, metadata);
  const other = misfit(tensors, states) ?? otherIdentity(progress.identity, identity, otherNetwork);
  if (other !== undefined) fail('train/other-training', { path, reason: other });
  if (metadata['sha256'] !== hashOf(tensors, metadata['progress']!))
    fail('train/bad-checkpoint', { path, reason: 'its content has changed since it was written' });
  const problem = problemOf?.(progress);
  if (problem !== undefined) fail('train/bad-checkpoint', { path, reason: problem });
  return { states: tensors, progress };
}

function hashOf(states: ReadonlyMap<string, Tensor>, progress: string): string {
  const hash = createHash('sha256').update(progress);
  for (const name of [...states.keys()].sort()) {
    const { dtype, shape, data } = states.get(name)!;
    hash.update(`${name} ${dtype} ${shape.join()}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

function parseProgress(path: string, metadata: Readonly<Record<string, string>>): CheckpointProgress {
  const damaged = (reason: string): never => fail('train/bad-checkpoint', { path, reason });
  if (metadata['format'] !== format) damaged('it has no progress of a training in it, or that of another version');
  let value: unknown;
  try {
    value = JSON.parse(metadata['progress'] ?? '');
  } catch {
    damaged('its progress is not JSON');
  }
  const found = value as Partial<CheckpointProgress> | null;
  const fits =
    typeof found === 'object' &&
    typeof found?.identity === 'object' &&
    found.identity !== null &&
    Number.isInteger(found.epoch) &&
    Number.isSafeInteger(found.step) &&
    (found.step as number) >= 0 &&
    Array.isArray(found.records) &&
    found.records.length === found.epoch &&
    (found.running === undefined || isRunning(found.running, found.step));
  if (!fits) return damaged('its progress lacks something');
  const progress = found as CheckpointProgress;
  if (progress.running?.images !== undefined)
    damaged('it was written within an epoch by several processes: go on with `torchrun` and as many to its end');
  progress.records.forEach((record, i) => {
    const problem = recordProblem(record) ?? (record.epoch === i + 1 ? undefined : `it is epoch ${record.epoch}`);
    if (problem !== undefined) damaged(`the record of epoch ${i + 1} is wrong: ${problem}`);
  });
  return progress;
}

function isRunning(found: unknown, step: number | undefined): found is RunningEpoch {
  if (typeof found !== 'object' || found === null) return false;
  const { steps, drawn, terms, others, renewals, settled, ...sums } = found as RunningEpoch;
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const numbers = [sums.loss, sums.correct, sums.rate, sums.seconds];
  return (
    isCount(steps) &&
    steps > 0 &&
    steps <= (step ?? 0) &&
    isCount(drawn) &&
    numbers.every((value) => typeof value === 'number') &&
    [terms, others].every((one) => isObject(one) && Object.values(one).every((value) => typeof value === 'number')) &&
    Array.isArray(renewals) &&
    Array.isArray(settled)
  );
}

/** The first state that doesn't fit. */
function misfit(found: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): string | undefined {
  for (const [name, { dtype, shape }] of expected) {
    const other = found.get(name);
    if (other === undefined) return `it has no "${name}"`;
    if (other.shape.join() !== shape.join()) {
      return `"${name}" has the shape [${other.shape.join(', ')}] in it, [${shape.join(', ')}] here`;
    }
    if (other.dtype !== dtype) return `"${name}" is ${other.dtype} in it, ${dtype} here`;
  }
  const extra = [...found.keys()].find((name) => !expected.has(name));
  return extra === undefined ? undefined : `"${extra}" in it doesn't exist here`;
}

function otherIdentity(there: Identity, here: Identity, otherNetwork: () => string): string | undefined {
  const different = differences(there, here);
  if (different.length === 0) return there.network === here.network ? undefined : otherNetwork();
  const shown = different.slice(0, 3).join('; ');
  return different.length > 3 ? `${shown}; and ${different.length - 3} more` : shown;
}
