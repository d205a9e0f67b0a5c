import { type Diagnostic, DiagnosticError, type Outcome, hasErrors } from '../base/diagnostics/index.js';

/** Collects what phases have to say; stops with everything said at the first error. */
export class Findings {
  readonly all: Diagnostic[] = [];

  take<T>(outcome: Outcome<T>): T {
    this.all.push(...outcome.diagnostics);
    if (outcome.value === undefined || hasErrors(outcome.diagnostics)) throw new DiagnosticError(this.all);
    return outcome.value;
  }
}
