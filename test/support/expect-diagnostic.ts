import { expect } from 'vitest';
import { type Code, type Diagnostic, DiagnosticError } from '../../src/base/diagnostics/index.js';

/** Runs `action`, which must throw exactly one diagnostic with this code, and gives that diagnostic. */
export function expectDiagnostic(code: Code, action: () => unknown): Diagnostic {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof DiagnosticError))
    throw new Error(`expected ${code}, got ${String(thrown)}`, { cause: thrown });
  expect(thrown.diagnostics.map((d) => d.code)).toEqual([code]);
  return thrown.diagnostics[0] as Diagnostic;
}
