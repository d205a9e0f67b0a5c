import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { driver } from '../../src/commands/index.js';
import { idxBytes } from '../data/builders.js';
import { random } from '../tensor/cases.js';
import type { EpochRecord } from '../../src/train/index.js';
import type { TrainOptions } from '../../src/commands/train.js';

/** Writes 60 images of 8×8 into a folder: bars left, bars on top, diagonals. The data set's name for `--data`. */
export function writeTinySet(folder: string, labels: (i: number) => number = (i) => i % 3): string {
  const next = random(4);
  const pixels = Array.from({ length: 60 * 64 }, (_, i) => {
    const [kind, x, y] = [Math.floor(i / 64) % 3, i % 8, Math.floor(i / 8) % 8];
    return ([x < 2, y < 2, x === y][kind]! ? 200 : 0) + Math.floor(40 * next());
  });
  writeFileSync(join(folder, 'images.idx'), idxBytes([60, 8, 8], pixels));
  writeFileSync(
    join(folder, 'labels.idx'),
    idxBytes(
      [60],
      Array.from({ length: 60 }, (_, i) => labels(i)),
    ),
  );
  return `idx:${join(folder, 'images.idx')},${join(folder, 'labels.idx')}`;
}

export async function train(place: { model: string; data: string; folder: string }, options: TrainOptions = {}) {
  const records: EpochRecord[] = [];
  const run = options.run ?? join(place.folder, 'run');
  const onEpoch = (record: EpochRecord): void => {
    records.push(record);
    options.onEpoch?.(record);
  };
  const outcome = await driver.trainTarget(
    { path: place.model },
    { data: place.data, threads: 1, ...options, run, onEpoch },
  );
  return { ...outcome, records, run, codes: outcome.diagnostics.map(({ code }) => code) };
}

/** Numbers of a run that must not depend on the clock. */
export const timeless = (records: readonly EpochRecord[]) => records.map(({ seconds: _, ...rest }) => rest);
