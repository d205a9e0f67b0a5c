import { dirname } from 'node:path';
import type { Outcome } from '../base/diagnostics/index.js';
import { readText } from '../data/files.js';
import { finishWrites } from '../data/folders.js';
import { formatText } from '../syntax/index.js';
import { reporting } from './reporting.js';

export interface FormatResult {
  readonly text: string;
  /** The file isn't formatted yet. */
  readonly changed: boolean;
}

/** Formats a model file; writes nothing. */
export function formatFile(path: string): Outcome<FormatResult> {
  return reporting(() => {
    finishWrites(dirname(path));
    const text = readText(path);
    const { value, diagnostics } = formatText({ name: path, text });
    return value === undefined ? { diagnostics } : { value: { text: value, changed: value !== text }, diagnostics };
  });
}
