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

/** Help of a diagnostic: words, or words with what carries them out. */
export type Help = string | Remedy;

export function textOfHelp(help: Help): string {
  return typeof help === 'string' ? help : help.text;
}

/** Help with more words behind it. */
export function withWords(help: Help, words: string): Help {
  return typeof help === 'string' ? `${help}${words}` : { ...help, text: `${help.text}${words}` };
}
