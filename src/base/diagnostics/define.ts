export type Severity = 'error' | 'warning' | 'note';

/** One row of the table of diagnostics: what is said, and the page `spikec explain` prints. */
export interface DiagnosticDef<Args> {
  readonly severity: Severity;
  /** What is wrong, in one sentence without a final stop. */
  readonly message: (args: Args) => string;
  /** Markdown: what it means, why, what to do. */
  readonly explain: string;
}

/** Declares a diagnostic whose message takes `Args`. */
export function define<Args = Record<never, never>>(
  severity: Severity,
  message: (args: Args) => string,
  explain: string,
): DiagnosticDef<Args> {
  return { severity, message, explain };
}
