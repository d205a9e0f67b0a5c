import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { isFile, readText } from '../data/index.js';
import type { EpochRecord } from '../train/index.js';
import { runFiles } from './run-folder.js';

/** The log of a run folder, a record an epoch; nothing where the folder has none. */
export function readLog(folder: string): readonly EpochRecord[] | undefined {
  const path = join(folder, runFiles.log);
  if (!isFile(path)) return undefined;
  return readText(path)
    .split('\n')
    .flatMap((text, i) => (text.trim() === '' ? [] : [readRecord(text, path, i + 1)]));
}

function readRecord(text: string, path: string, line: number): EpochRecord {
  const bad = (reason: string): never => fail('report/bad-log', { path, line, reason }, { file: path });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('it is no JSON');
  }
  if (typeof value !== 'object' || value === null) return bad('it is no object');
  const record = value as Record<string, unknown>;
  for (const key of ['epoch', 'loss', 'accuracy', 'rate', 'seconds']) {
    if (typeof record[key] !== 'number') return bad(`it has no number "${key}"`);
  }
  const firing = record['firing'] ?? {};
  if (typeof firing !== 'object' || !Object.values(firing).every((rate) => typeof rate === 'number')) {
    return bad('"firing" holds more than numbers');
  }
  return { ...record, firing } as unknown as EpochRecord;
}
