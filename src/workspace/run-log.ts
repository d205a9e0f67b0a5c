import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { finishWrites, isFile, readText } from '../data/index.js';
import { type EpochRecord, recordProblem } from '../train/index.js';
import { runFiles } from './run-folder.js';

/** The log of a run folder, a record an epoch; nothing where the folder has none. */
export function readLog(folder: string): readonly EpochRecord[] | undefined {
  finishWrites(folder);
  const path = join(folder, runFiles.log);
  if (!isFile(path)) return undefined;
  return parseLog(readText(path), path);
}

/** The records of a log's text; `path` is what messages call it. */
export function parseLog(text: string, path: string): readonly EpochRecord[] {
  return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [readRecord(line, path, i + 1)]));
}

function readRecord(text: string, path: string, line: number): EpochRecord {
  const bad = (reason: string): never => fail('report/bad-log', { path, line, reason }, { file: path });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('it is no JSON');
  }
  const problem = recordProblem(value);
  if (problem !== undefined) return bad(problem);
  const record = value as EpochRecord;
  return { ...record, firing: (record.firing as EpochRecord['firing'] | undefined) ?? {} };
}
