import type { IToken } from 'chevrotain';
import type { Source, Span } from '../base/source.js';

/** What a look at the brackets alone says. */
export type BracketFault =
  | { readonly kind: 'unclosed'; readonly open: Span; readonly noticed: Span; readonly next: string }
  | { readonly kind: 'unopened'; readonly close: Span }
  | { readonly kind: 'too-deep'; readonly open: Span };

const partner: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };
const closing = new Set(Object.values(partner));

/**
 * Finds brackets without a partner, in linear time and without recursion. Where a declaration begins (`starts`, offsets
 * of the tokens) inside brackets, one before it was left open.
 */
export function bracketFaults(
  source: Source,
  tokens: readonly IToken[],
  maxDepth: number,
  starts: ReadonlySet<number> = new Set(),
): BracketFault[] {
  const faults: BracketFault[] = [];
  const open: { readonly bracket: string; readonly at: number }[] = [];
  const unclosed = (at: number, length: number): void => {
    const last = open.at(-1);
    if (last === undefined) return;
    const noticed = { source, start: at, end: at + length };
    const next = length === 0 ? 'the end of the file' : `\`${source.text.slice(at, at + length)}\``;
    faults.push({ kind: 'unclosed', open: { source, start: last.at, end: last.at + 1 }, noticed, next });
  };

  for (const { image: text, startOffset: at } of tokens) {
    if (starts.has(at) && open.length > 0) {
      unclosed(at, text.length);
      open.length = 0;
    }
    if (Object.hasOwn(partner, text)) {
      open.push({ bracket: text, at });
      if (open.length > maxDepth) {
        faults.push({ kind: 'too-deep', open: { source, start: at, end: at + 1 } });
        return faults;
      }
    } else if (closing.has(text)) {
      const last = open.at(-1);
      if (last !== undefined && partner[last.bracket] === text) {
        open.pop();
      } else if (last === undefined) {
        faults.push({ kind: 'unopened', close: { source, start: at, end: at + 1 } });
        if (faults.length >= 20) return faults;
      } else {
        unclosed(at, 1);
        // Go on with whatever this bracket does close.
        while (open.length > 0 && partner[open.at(-1)!.bracket] !== text) open.pop();
        open.pop();
      }
    }
  }
  unclosed(source.text.length, 0);
  return faults;
}
