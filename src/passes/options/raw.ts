import type { Span } from '../../base/source.js';
import { type TokenStream, shortened } from '../../base/tokens.js';

/** A value as text says it, before an option's type gives it a meaning. */
export type Raw = { readonly place: Span } & (
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'flag'; readonly value: boolean }
  | { readonly kind: 'word'; readonly value: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly RawEntry[] }
  | { readonly kind: 'list'; readonly items: readonly Raw[] }
  | { readonly kind: 'map'; readonly entries: readonly RawEntry[] }
);

/** `name=value` in a call, `"pattern": value` in a map. */
export interface RawEntry {
  readonly key: string;
  readonly value: Raw;
  readonly place: Span;
}

/** Lists and maps stand in each other so deep at most; what passes ask for needs three. */
const deepest = 8;

/** Reads one value: `2`, `true`, `exact`, `"a word"`, `IF(start=0.5)`, `[2, 4]`, `{"stage1.*": 2}`. */
export function readRaw(tokens: TokenStream, depth = 0): Raw {
  const { next } = tokens;
  const place = next.span;
  if (depth > deepest) tokens.fail(`lists and maps that stand in each other at most ${deepest} deep`);
  if (tokens.accept('['))
    return { kind: 'list', place, items: readItems(tokens, ']', () => readRaw(tokens, depth + 1)) };
  if (tokens.is('{')) return readMap(tokens, depth);
  if (next.kind === 'number' || tokens.is('-') || tokens.is('Infinity')) {
    return { kind: 'number', place, value: tokens.number() };
  }
  if (next.kind !== 'name' && next.kind !== 'string') tokens.fail('a value');
  const word = tokens.name();
  if (next.kind === 'string') return { kind: 'word', place, value: word };
  if (word === 'true' || word === 'false') return { kind: 'flag', place, value: word === 'true' };
  if (!tokens.accept('(')) return { kind: 'word', place, value: word };
  const args = readItems(tokens, ')', (): RawEntry => {
    const at = tokens.next.span;
    const key = tokens.name();
    tokens.expect('=');
    return { key, place: at, value: readRaw(tokens, depth + 1) };
  });
  return { kind: 'call', place, name: word, args };
}

/** `{"pattern": value, …}`. Patterns stand in quotes: a colon may be part of a name. */
export function readMap(tokens: TokenStream, depth = 0): Raw {
  const place = tokens.next.span;
  tokens.expect('{');
  const entries = readItems(tokens, '}', (): RawEntry => {
    const at = tokens.next;
    if (at.kind !== 'string') tokens.fail('the pattern of layers in quotes, such as "stage1.*"');
    const key = tokens.name();
    tokens.expect(':');
    return { key, place: at.span, value: readRaw(tokens, depth + 1) };
  });
  return { kind: 'map', place, entries };
}

function readItems<T>(tokens: TokenStream, end: string, item: () => T): readonly T[] {
  const items: T[] = [];
  while (!tokens.accept(end)) {
    if (items.length > 0) tokens.expect(',');
    items.push(item());
  }
  return items;
}

/** A value as a message shows it. */
export function rawText(raw: Raw): string {
  const { source, start } = raw.place;
  switch (raw.kind) {
    case 'number':
    case 'flag':
      return String(raw.value);
    case 'word':
      return `"${shortened(raw.value)}"`;
    case 'call':
      return `${shortened(raw.name)}(…)`;
    case 'list':
    case 'map':
      return `${source.text[start]}…${raw.kind === 'list' ? ']' : '}'}`;
  }
}
