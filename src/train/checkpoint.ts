import type { Tensor } from '../base/dtype.js';
import { DiagnosticError, fail } from '../base/diagnostics/index.js';
import { decodeSafetensors, encodeSafetensors } from '../base/safetensors.js';
import { isFile, readBytes, writeFile } from '../data/index.js';
import type { EpochRecord } from './record.js';
import type { RenewalState } from './renewal.js';
import type { SettlingState } from './settling.js';

/** What a training needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Weights, running statistics and the optimiser's slots, by name. */
  readonly states: ReadonlyMap<string, Tensor>;
  readonly progress: CheckpointProgress;
}

export interface CheckpointProgress {
  /** Identifies network, data and settings: what must not change between stop and resume. */
  readonly fingerprint: string;
  /** Epochs done. */
  readonly epoch: number;
  /** Optimiser steps done. */
  readonly step: number;
  readonly records: readonly EpochRecord[];
  /** What the observers of step sizes remember. */
  readonly renewal?: RenewalState;
  readonly settling?: SettlingState;
}

const format = '1';

/**
 * One file holds tensors and progress, so that one rename replaces both: a checkpoint is whole or
 * is the one before. Non-finite states are never written.
 */
export function writeCheckpoint(path: string, { states, progress }: Checkpoint): void {
  for (const [name, { data }] of states) {
    if (data.some((x) => !Number.isFinite(x))) fail('train/not-finite', { name, epoch: progress.epoch });
  }
  writeFile(path, encodeSafetensors(states, { format, progress: JSON.stringify(progress) }));
}

/** Reads a checkpoint of the training that `fingerprint` identifies. */
export function readCheckpoint(path: string, fingerprint: string, expected: ReadonlyMap<string, Tensor>): Checkpoint {
  if (!isFile(path)) fail('train/no-checkpoint', { path });
  const read = decodeSafetensors(readBytes(path), path);
  if (read.value === undefined) throw new DiagnosticError(read.diagnostics);
  const { tensors, metadata } = read.value;
  const progress = parseProgress(path, metadata);
  if (progress.fingerprint !== fingerprint) {
    fail('train/other-training', { path, reason: difference(tensors, expected) });
  }
  const reason = misfit(tensors, expected);
  if (reason !== undefined) fail('train/other-training', { path, reason });
  return { states: tensors, progress };
}

function parseProgress(path: string, metadata: Readonly<Record<string, string>>): CheckpointProgress {
  const damaged = (reason: string): never => fail('train/bad-checkpoint', { path, reason });
  if (metadata['format'] !== format) damaged('it has no progress of a training in it');
  let value: unknown;
  try {
    value = JSON.parse(metadata['progress'] ?? '');
  } catch {
    damaged('its progress is not JSON');
  }
  const found = value as Partial<CheckpointProgress> | null;
  const fits =
    typeof found === 'object' &&
    typeof found?.fingerprint === 'string' &&
    Number.isInteger(found.epoch) &&
    Number.isInteger(found.step) &&
    Array.isArray(found.records) &&
    found.records.length === found.epoch;
  return fits ? (found as CheckpointProgress) : damaged('its progress lacks something');
}

function misfit(found: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): string | undefined {
  for (const [name, { shape }] of expected) {
    const other = found.get(name);
    if (other === undefined) return `it has no "${name}"`;
    if (other.shape.join() !== shape.join()) {
      return `"${name}" has the shape [${other.shape.join(', ')}] in it, [${shape.join(', ')}] here`;
    }
  }
  const extra = [...found.keys()].find((name) => !expected.has(name));
  return extra === undefined ? undefined : `"${extra}" in it doesn't exist here`;
}

function difference(found: ReadonlyMap<string, Tensor>, expected: ReadonlyMap<string, Tensor>): string {
  return misfit(found, expected) ?? 'its data or settings (other than the number of epochs) are different';
}
