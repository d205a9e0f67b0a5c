import {
  type ArgsOf,
  type Code,
  type Diagnostic,
  type DiagnosticExtras,
  type Help,
  type Related,
  type Severity,
  diagnostic,
  diagnosticTable,
} from '../base/diagnostics/index.js';
import { type Place, isSpan } from '../base/source.js';

/** How many diagnostics of one severity are shown. */
const limit = 100;

export interface ReportExtras extends Omit<DiagnosticExtras, 'help'> {
  /** Help that takes work to find is given as a function, which is called only if it will be shown. */
  readonly help?: Help | undefined | (() => Help | undefined);
}

/** Collects what the checker has to say; the same thing about the same place is said once. */
export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #said = new Set<string>();
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  /** Uses of blocks around what is looked at, outermost first. */
  readonly #trail: Related[] = [];
  #last: Place | undefined;
  /** Errors so far, those included that were said before or are too many to show. */
  errors = 0;

  /** Everything that was said so far, said again or not shown. */
  heard = 0;

  /** What was reported, with a last word where more was found than is shown. */
  get diagnostics(): readonly Diagnostic[] {
    if (this.#last === undefined) return this.#diagnostics;
    return [...this.#diagnostics, diagnostic('model/too-many', { limit }, this.#last)];
  }

  /** No further error will be shown. */
  get full(): boolean {
    return this.#counts.error >= limit;
  }

  /** Whatever is reported during `work` also names the place that it was made for. */
  inside<T>(place: Place, message: string, work: () => T): T {
    this.#trail.push({ place, message });
    try {
      return work();
    } finally {
      this.#trail.pop();
    }
  }

  /** Nothing is reported during `work`. */
  silently<T>(work: () => T): T {
    this.#silent++;
    try {
      return work();
    } finally {
      this.#silent--;
    }
  }
  #silent = 0;

  /** What is said during `work`, if all of it was: also what was said before, and is said once. */
  record<T>(work: () => T): { readonly value: T; readonly said: readonly Diagnostic[] | undefined } {
    const outer = this.#tape;
    const tape: Diagnostic[] = [];
    this.#tape = tape;
    try {
      const value = work();
      const isWhole = this.#silent === 0 && this.#last === undefined && !this.full;
      return { value, said: isWhole ? tape : undefined };
    } finally {
      this.#tape = outer;
      outer?.push(...tape);
    }
  }
  #tape: Diagnostic[] | undefined;

  report<C extends Code>(code: C, args: ArgsOf<C>, place: Place, extras: ReportExtras = {}): void {
    const { severity } = diagnosticTable[code];
    if (this.#silent > 0) return;
    if (this.#overflows(severity, place)) {
      this.heard++;
      if (severity === 'error') this.errors++;
      return;
    }
    const { help } = extras;
    // From the inside out: the last one is the user's own line.
    const uses = this.#trail.length > 4 ? [this.#trail[0]!, ...this.#trail.slice(-3)] : this.#trail;
    const related = [...(extras.related ?? []), ...[...uses].reverse()];
    this.add(diagnostic(code, args, place, { ...extras, related, help: typeof help === 'function' ? help() : help }));
  }

  add(found: Diagnostic): void {
    if (this.#silent > 0) return;
    const { place, severity } = found;
    this.heard++;
    this.#tape?.push(found);
    if (severity === 'error') this.errors++;
    if (this.#overflows(severity, place)) return;
    const where = place === undefined ? '' : isSpan(place) ? `${place.source.name}:${place.start}` : place.file;
    const key = `${found.code} ${where} ${found.message}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#counts[severity]++;
    this.#diagnostics.push(found);
  }

  #overflows(severity: Severity, place: Place | undefined): boolean {
    if (this.#counts[severity] < limit) return false;
    this.#last ??= place;
    return true;
  }
}
