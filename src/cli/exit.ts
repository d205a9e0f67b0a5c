import type { Code, Diagnostic } from '../base/diagnostics/index.js';

/** Exit codes, which scripts rely on. */
export const exitCode = { ok: 0, wrongInput: 1, usage: 2, interrupted: 130 } as const;

/** Codes that speak of the command line or of the machine, not of the input. */
const environment = new Set<Code>([
  'cli/bug',
  'cli/unknown-code',
  'cli/unknown-config',
  'cli/unknown-pass',
  'cli/usage',
  'cli/which-config',
  'data/unknown-set',
  'data/set-not-found',
  'data/bad-normalisation',
  'engine/unavailable',
  'engine/unknown',
  'file/write-failed',
  'pass/option',
  'pass/option-missing',
  'pass/syntax',
  'pass/unknown',
  'pass/unknown-option',
  'report/no-data',
  'report/no-such-sample',
]);

/** 0 without errors; 2 when an error is about usage or environment; otherwise 1. */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): number {
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length === 0) return exitCode.ok;
  return errors.some((d) => environment.has(d.code)) ? exitCode.usage : exitCode.wrongInput;
}
