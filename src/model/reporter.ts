import {
  type ArgsOf,
  type Code,
  type Diagnostic,
  type DiagnosticExtras,
  diagnostic,
} from '../base/diagnostics/index.js';
import { type Place, isSpan } from '../base/source.js';

const limit = 100;

/** Collects what the checker has to say; the same thing about the same place is said once. */
export class Reporter {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #said = new Set<string>();

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  report<C extends Code>(code: C, args: ArgsOf<C>, place: Place, extras?: DiagnosticExtras): void {
    this.add(diagnostic(code, args, place, extras));
  }

  add(found: Diagnostic): void {
    const { place } = found;
    const where = place === undefined ? '' : isSpan(place) ? `${place.source.name}:${place.start}` : place.file;
    const key = `${found.code} ${where} ${found.message}`;
    if (this.#said.has(key) || this.#diagnostics.length >= limit) return;
    this.#said.add(key);
    this.#diagnostics.push(found);
  }
}
