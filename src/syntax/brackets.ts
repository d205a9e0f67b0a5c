import type { Source, Span } from '../base/source.js';

/** What a look at the brackets alone says, before any parsing. */
export type BracketFault =
  | { readonly kind: 'unclosed'; readonly open: Span; readonly noticed: Span; readonly next: string }
  | { readonly kind: 'unopened'; readonly close: Span }
  | { readonly kind: 'too-deep'; readonly open: Span };

const partner: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };
const closing = new Set(Object.values(partner));

// Strings, comments, brackets, and a declaration that starts a line.
const interesting = /"(?:[^"\\\n\r]|\\.)*"?|\/\/[^\n\r]*|[{}()[\]]|^(?:use|block|network|neuron|config)\b/gm;

/**
 * Finds brackets without a partner, in linear time and without recursion. A text that balances has
 * none; in one that doesn't, a `block` or `config` at the very start of a line inside brackets
 * means that one before it was left open.
 */
export function bracketFaults(source: Source, maxDepth: number): BracketFault[] {
  const plain = scan(source, maxDepth, false);
  const deep = plain.some((fault) => fault.kind === 'too-deep');
  return plain.length === 0 || deep ? plain : scan(source, maxDepth, true);
}

function scan(source: Source, maxDepth: number, atDeclarations: boolean): BracketFault[] {
  const faults: BracketFault[] = [];
  const open: { readonly bracket: string; readonly at: number }[] = [];
  const unclosed = (at: number, length: number): void => {
    const last = open.at(-1);
    if (last === undefined) return;
    const noticed = { source, start: at, end: at + length };
    const next = length === 0 ? 'the end of the file' : `\`${source.text.slice(at, at + length)}\``;
    faults.push({ kind: 'unclosed', open: { source, start: last.at, end: last.at + 1 }, noticed, next });
  };

  for (const match of source.text.matchAll(interesting)) {
    const text = match[0];
    const at = match.index;
    if (partner[text] !== undefined) {
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
    } else if (atDeclarations && isDeclarationInside(source.text, at, text, open.length)) {
      unclosed(at, text.length);
      open.length = 0;
    }
  }
  unclosed(source.text.length, 0);
  return faults;
}

/** `network`/`neuron` may also name a setting, so only a declaration's shape `word Name … {` counts for them. */
function isDeclarationInside(text: string, at: number, word: string, depth: number): boolean {
  if (depth === 0 || word.startsWith('"') || word.startsWith('//')) return false;
  if (word === 'use' || word === 'block' || word === 'config') return true;
  return /^\s+[A-Za-z_]\w*\s*(?:\([^{}]*\))?\s*\{/.test(text.slice(at + word.length, at + word.length + 400));
}
