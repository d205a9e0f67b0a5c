import { type Place, describePlace } from '../source.js';
import type { DiagnosticDef, Severity } from './define.js';
import { type Fix, type Help, textOfHelp } from './remedy.js';
import { type ArgsOf, type Code, diagnosticTable } from './table.js';

export interface Related {
  readonly place: Place;
  readonly message: string;
}

/** Something to tell the user: what, where, why, and what to do about it. */
export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  readonly message: string;
  readonly place?: Place;
  readonly related?: readonly Related[];
  /** The remedy, in one line. */
  readonly help?: string;
  /** The remedy as an editor carries it out, where that is sure. */
  readonly fix?: Fix;
}

export interface DiagnosticExtras {
  readonly related?: readonly Related[];
  readonly help?: Help | undefined;
}

/** Makes a diagnostic; the table decides which arguments its message needs. */
export function diagnostic<C extends Code>(
  code: C,
  args: ArgsOf<C>,
  place?: Place,
  extras: DiagnosticExtras = {},
): Diagnostic {
  const def = diagnosticTable[code] as unknown as DiagnosticDef<ArgsOf<C>>;
  return {
    code,
    severity: def.severity,
    message: def.message(args),
    ...(place === undefined ? {} : { place }),
    ...(extras.related === undefined ? {} : { related: extras.related }),
    ...(extras.help === undefined ? {} : { help: textOfHelp(extras.help) }),
    ...(typeof extras.help === 'object' ? { fix: extras.help.fix } : {}),
  };
}

/** Each diagnostic once: what is said again of the same place is left out. */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const said = new Set<string>();
  return diagnostics.filter(({ code, message, place }) => {
    const key = JSON.stringify([code, message, place === undefined ? '' : describePlace(place)]);
    return !said.has(key) && said.add(key);
  });
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/**
 * Carries diagnostics out of asynchronous work (files, engines, training) to the driver,
 * which reports them. Synchronous phases return their diagnostics instead.
 */
export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: Diagnostic | readonly Diagnostic[]) {
    const all = Array.isArray(diagnostics) ? (diagnostics as readonly Diagnostic[]) : [diagnostics as Diagnostic];
    super(all.map((d) => d.message).join('; '));
    this.diagnostics = all;
  }
}

/** Throws a {@link DiagnosticError} with one diagnostic. */
export function fail<C extends Code>(code: C, args: ArgsOf<C>, place?: Place, extras?: DiagnosticExtras): never {
  throw new DiagnosticError(diagnostic(code, args, place, extras));
}

/** What a phase gives back: its value where there was one, and everything it has to say. */
export interface Outcome<T> {
  readonly value?: T;
  readonly diagnostics: readonly Diagnostic[];
}
