import { type Diagnostic, DiagnosticError } from '../../src/base/diagnostics/index.js';
import { describePlace } from '../../src/base/source.js';

/** What is wrong, in words for people. */
export function wordsOf(error: unknown): readonly string[] {
  if (error instanceof DiagnosticError) return error.diagnostics.map(describe);
  return [`spikec has a bug here: ${error instanceof Error ? error.message : String(error)}`];
}

export function describe({ severity, message, place, help }: Diagnostic): string {
  const where = place === undefined ? '' : `${describePlace(place)}: `;
  return `${where}${severity}: ${message}${help === undefined ? '' : ` (${help})`}`;
}
