import {
  type ArgsOf,
  type Code,
  type Diagnostic,
  type DiagnosticExtras,
  diagnostic,
} from '../base/diagnostics/index.js';
import { type Place, isSpan } from '../base/source.js';

const limit = 100;

export interface ReportExtras extends Omit<DiagnosticExtras, 'help'> {
  readonly help?: string | undefined | (() => string | undefined);
}

/** Collects what the checker has to say; the same thing about the same place is said once. */
export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #said = new Set<string>();

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  /** Nothing more will be shown. */
  get full(): boolean {
    return this.#diagnostics.length >= limit;
  }

  /** Help that takes work to find is given as a function, which is called only if it will be shown. */
  report<C extends Code>(code: C, args: ArgsOf<C>, place: Place, extras: ReportExtras = {}): void {
    if (this.full) return;
    const { help } = extras;
    this.add(diagnostic(code, args, place, { ...extras, help: typeof help === 'function' ? help() : help }));
  }

  add(found: Diagnostic): void {
    const { place } = found;
    const where = place === undefined ? '' : isSpan(place) ? `${place.source.name}:${place.start}` : place.file;
    const key = `${found.code} ${where} ${found.message}`;
    if (this.#said.has(key) || this.full) return;
    this.#said.add(key);
    this.#diagnostics.push(found);
  }
}
