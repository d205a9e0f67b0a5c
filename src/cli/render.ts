import pc from 'picocolors';
import type { Diagnostic, Related, Severity } from '../base/diagnostics/index.js';
import { type Place, type Span, describePlace, isSpan, lineAndColumn } from '../base/source.js';

type Colours = ReturnType<typeof pc.createColors>;

export interface RenderOptions {
  readonly colour: boolean;
  /** Columns of source text to show of one line. */
  readonly width?: number;
}

const paint: Readonly<Record<Severity, (colours: Colours) => (text: string) => string>> = {
  error: (c) => (text) => c.bold(c.red(text)),
  warning: (c) => (text) => c.bold(c.yellow(text)),
  note: (c) => (text) => c.bold(c.cyan(text)),
};

/**
 * A diagnostic for people:
 *
 *     error[model/unknown-name]: there is no layer "covn"
 *       --> net.spike:3:11
 *        |
 *      3 | pre = x | covn(8, kernel: 3)
 *        |           ^^^^
 *        = help: did you mean "conv"?
 */
export function renderDiagnostic(d: Diagnostic, options: RenderOptions): string {
  const colours = pc.createColors(options.colour);
  const severe = paint[d.severity](colours);
  const places = [d.place, ...(d.related ?? []).map((r) => r.place)];
  const gutter = Math.max(1, ...places.map((p) => (p !== undefined && isSpan(p) ? lineDigits(p) : 1)));
  const pad = ' '.repeat(gutter);
  const bar = colours.blue('|');
  const lines = [`${severe(`${d.severity}[${d.code}]`)}${colours.bold(`: ${printable(d.message)}`)}`];
  const show = (place: Place, underline: (text: string) => string, mark: string): void => {
    lines.push(`${pad}${colours.blue('-->')} ${printable(describePlace(place))}`);
    if (!isSpan(place)) return;
    const { line, before, marked, text } = excerpt(place, options.width ?? 100);
    lines.push(`${pad} ${bar}`);
    lines.push(`${colours.blue(String(line).padStart(gutter))} ${bar} ${text}`);
    lines.push(`${pad} ${bar} ${' '.repeat(before)}${underline(mark.repeat(marked))}`);
  };
  if (d.place !== undefined) show(d.place, severe, '^');
  for (const related of d.related ?? []) {
    lines.push(`${pad} ${colours.blue('=')} ${printable(related.message)}`);
    show(related.place, colours.blue, '-');
  }
  if (d.help !== undefined) lines.push(`${pad} ${colours.blue('=')} ${colours.bold('help')}: ${printable(d.help)}`);
  return `${lines.join('\n')}\n`;
}

function lineDigits(span: Span): number {
  return String(lineAndColumn(span.source, span.start).line).length;
}

interface Excerpt {
  readonly line: number;
  /** The line as shown: tabs widened, unprintable characters replaced, long lines cut with `…`. */
  readonly text: string;
  /** Columns before the underline. */
  readonly before: number;
  /** Columns underlined; at least one. */
  readonly marked: number;
}

function excerpt({ source, start, end }: Span, width: number): Excerpt {
  const { line, column } = lineAndColumn(source, start);
  const lineStart = Math.min(start, source.text.length) - (column - 1);
  const newline = source.text.indexOf('\n', lineStart);
  const full = source.text.slice(lineStart, newline === -1 ? undefined : newline).replace(/\r$/, '');
  const from = column - 1;
  const to = Math.max(from, Math.min(end - lineStart, full.length));
  // The line's start where that leaves room for the place; otherwise a third of the width before it.
  const first = Math.min(to, from + Math.floor(width / 2)) <= width ? 0 : from - Math.floor(width / 3);
  const last = Math.min(full.length, first + width);
  const [cutLeft, cutRight] = [first > 0 ? '…' : '', last < full.length ? '…' : ''];
  const before = cutLeft + shown(full.slice(first, from));
  const marked = shown(full.slice(from, Math.min(to, last)));
  return {
    line,
    text: before + marked + shown(full.slice(Math.min(to, last), last)) + cutRight,
    before: columnsOf(before),
    marked: Math.max(1, columnsOf(marked)),
  };
}

/** Source text with tabs as two columns and without characters that would move the cursor. */
function shown(text: string): string {
  return printable(text.replaceAll('\t', '  '));
}

/** Replaces control characters and bidirectional overrides: text from files must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Columns that a text takes: two for East Asian wide characters and emoji, none for combining marks. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}

const shownAtMost = 20;

/** All diagnostics, blank lines between them, and a last line that counts. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  if (diagnostics.length === 0) return '';
  const rendered = diagnostics.slice(0, shownAtMost).map((d) => renderDiagnostic(d, options));
  const left = diagnostics.length - rendered.length;
  if (left > 0) rendered.push(`… and ${left} more\n`);
  const counts = countSeverities(diagnostics);
  return `${rendered.join('\n')}${counts === '' ? '' : `\n${counts}\n`}`;
}

/** `2 errors, 1 warning`; empty where there are only notes. */
function countSeverities(diagnostics: readonly Diagnostic[]): string {
  return (['error', 'warning'] as const)
    .map((severity) => ({ severity, count: diagnostics.filter((d) => d.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}${count === 1 ? '' : 's'}`)
    .join(', ');
}

export interface PlaceJson {
  readonly file: string;
  /** 1-based; the end is the first position behind the place. */
  readonly line?: number;
  readonly column?: number;
  readonly end_line?: number;
  readonly end_column?: number;
  readonly detail?: string;
}

export interface DiagnosticJson extends Partial<PlaceJson> {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
  readonly related?: readonly (PlaceJson & { readonly message: string })[];
}

export function diagnosticJson(d: Diagnostic): DiagnosticJson {
  return {
    code: d.code,
    severity: d.severity,
    message: d.message,
    ...(d.place === undefined ? {} : placeJson(d.place)),
    ...(d.help === undefined ? {} : { help: d.help }),
    ...(d.related === undefined ? {} : { related: d.related.map(relatedJson) }),
  };
}

function relatedJson({ place, message }: Related): PlaceJson & { readonly message: string } {
  return { message, ...placeJson(place) };
}

function placeJson(place: Place): PlaceJson {
  if (!isSpan(place)) return { file: place.file, ...(place.detail === undefined ? {} : { detail: place.detail }) };
  const { line, column } = lineAndColumn(place.source, place.start);
  const end = lineAndColumn(place.source, place.end);
  return { file: place.source.name, line, column, end_line: end.line, end_column: end.column };
}
