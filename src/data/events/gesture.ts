import { basename, join } from 'node:path';
import { fail } from '../../base/diagnostics/index.js';
import { readText } from '../files.js';
import type { Dataset } from '../dataset.js';
import { Aedat3 } from './aedat3.js';
import { dvs128 } from './readers.js';
import { recordingSet } from './recordings.js';

const classes = 11;

interface Cut {
  readonly file: Aedat3;
  readonly from: number;
  readonly to: number;
  readonly label: number;
}

/**
 * DVS128 Gesture as IBM publishes it: `trials_to_train.txt` and `trials_to_test.txt` name the files of the official split;
 * beside each `NAME.aedat`, `NAME_labels.csv` says when which gesture is made (class from 1, from, to in µs; from ≤ t < to).
 */
export function openGesture(name: string, folder: string, split: 'train' | 'test'): Dataset {
  const list = join(folder, `trials_to_${split}.txt`);
  const files = readText(list).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
  files.forEach((file, i) => {
    if (basename(file) === file && !file.includes('\0')) return;
    const reason = `"${file.slice(0, 60)}" isn't the name of a file in this folder`;
    fail('data/bad-table', { file: list, line: i + 1, reason });
  });
  const cuts = files.flatMap((file) => cutsOf(join(folder, file)));
  if (cuts.length === 0) fail('data/empty', { name });
  return recordingSet({
    name,
    sensor: dvs128,
    labels: Int32Array.from(cuts, ({ label }) => label),
    classes,
    classesKnown: true,
    events: (i) => {
      const { file, from, to } = cuts[i]!;
      return file.read(from, to);
    },
  });
}

/** The gestures of one file. */
export function cutsOf(path: string): readonly Cut[] {
  const table = path.replace(/\.aedat$/i, '_labels.csv');
  const file = new Aedat3(path);
  const rows = readText(table).split(/\r?\n/).slice(1);
  return rows.flatMap((row, i) => {
    if (row.trim() === '') return [];
    const [label = Number.NaN, from = Number.NaN, to = Number.NaN] = row.split(',').map((field) => Number(field.trim() || Number.NaN));
    const bad = (reason: string): never => fail('data/bad-table', { file: table, line: i + 2, reason });
    if (!Number.isInteger(label) || !Number.isFinite(from) || !Number.isFinite(to))
      bad(`"${row.trim().slice(0, 60)}" isn't class,startTime_usec,endTime_usec`);
    if (label < 1 || label > classes) bad(`class ${label} isn't one of 1 to ${classes}`);
    if (to <= from) bad(`it ends at ${to} µs, before it starts at ${from} µs`);
    return [{ file, from, to, label: label - 1 }];
  });
}
