import type { Span } from '../source.js';

/** What an editor can do about a diagnostic by itself. */
export type Fix =
  /** Puts a text in the place of what the diagnostic points at. */
  | { readonly kind: 'replace'; readonly text: string }
  /** Puts a text in the place of another, which may be empty. */
  | { readonly kind: 'write'; readonly title: string; readonly span: Span; readonly text: string }
  /** Imports a name from another file: `use "spikec/neurons" { LIF }`. */
  | { readonly kind: 'use'; readonly path: string; readonly name: string; readonly instead?: string };

/** What to do about a diagnostic, in words, and how an editor does it. */
export interface Remedy {
  readonly text: string;
  readonly fix: Fix;
}

/** A remedy that writes `written` where `span` is. */
export function writing(text: string, title: string, span: Span, written: string): Remedy {
  return { text, fix: { kind: 'write', title, span, text: written } };
}

/** A remedy that adds a line at the end of a block, which ends with its brace. */
export function addingLine(text: string, { source, end }: Span, line: string): Remedy {
  return writing(text, `Add \`${line}\``, { source, start: end - 1, end: end - 1 }, `  ${line}\n`);
}

/** A remedy that gives an argument of a call another value, or adds it; words alone where the call's text doesn't show how. */
export function givingArgument(text: string, call: Span, name: string, value: number): Help {
  const written = call.source.text.slice(call.start, call.end);
  const said = `${name}: ${value}`;
  const found = [...written.matchAll(new RegExp(`\\b${name}\\s*:\\s*-?[\\d.]+(?:e-?\\d+)?`, 'g'))];
  const [only] = found;
  if (found.length === 1) {
    const start = call.start + only!.index;
    return writing(text, `Write \`${said}\``, { ...call, start, end: start + only![0].length }, said);
  }
  if (found.length > 1 || /[{}]/.test(written)) return text;
  if (!written.endsWith(')')) return writing(text, `Add \`${said}\``, { ...call, start: call.end }, `(${said})`);
  const isEmpty = /\(\s*\)$/.test(written);
  const before = { ...call, start: call.end - 1, end: call.end - 1 };
  return writing(text, `Add \`${said}\``, before, isEmpty ? said : `, ${said}`);
}

/** Help of a diagnostic: words, or words with what carries them out. */
export type Help = string | Remedy;

export function textOfHelp(help: Help): string {
  return typeof help === 'string' ? help : help.text;
}

/** Help with more words behind it. */
export function withWords(help: Help, words: string): Help {
  return typeof help === 'string' ? `${help}${words}` : { ...help, text: `${help.text}${words}` };
}
