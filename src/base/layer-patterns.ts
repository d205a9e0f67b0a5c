import { type Help } from './diagnostics/remedy.js';
import { closest, instead } from './did-you-mean.js';

/**
 * Whether the pattern of `layer "…"` means the layer: its id, the start of its id up to a dot, or
 * either with `*` for any characters.
 */
export function layerMatches(pattern: string, id: string): boolean {
  return layerMatcher(pattern)(id);
}

/** {@link layerMatches} for one pattern and many ids. */
export function layerMatcher(pattern: string): (id: string) => boolean {
  const parts = pattern.split('*');
  if (parts.length > 1) return (id) => globMatches(parts, id);
  const start = `${pattern}.`;
  return (id) => id === pattern || id.startsWith(start);
}

/** Every id, and every start of one up to a dot: what patterns without `*` mean. */
function starts(id: string): readonly string[] {
  const found = [id];
  for (let at = id.lastIndexOf('.'); at > 0; at = id.lastIndexOf('.', at - 1)) found.push(id.slice(0, at));
  return found;
}

/** Which patterns mean one of these layers; many patterns and many layers aren't compared one by one. */
export function meansSome(ids: readonly string[]): (pattern: string) => boolean {
  const known = new Set(ids.flatMap(starts));
  return (pattern) => (pattern.includes('*') ? ids.some(layerMatcher(pattern)) : known.has(pattern));
}

/** What stands behind patterns, by layer; many patterns and many layers aren't compared one by one. */
export class LayerPatterns<T extends { readonly pattern: string }> {
  readonly #plain = new Map<string, number[]>();
  readonly #globs: { readonly at: number; readonly matches: (id: string) => boolean }[] = [];

  constructor(readonly all: readonly T[]) {
    for (const [at, { pattern }] of all.entries()) {
      if (pattern.includes('*')) this.#globs.push({ at, matches: layerMatcher(pattern) });
      else if (this.#plain.has(pattern)) this.#plain.get(pattern)!.push(at);
      else this.#plain.set(pattern, [at]);
    }
  }

  /** What means the layer, in the order in which it was given: of two that say the same, the last counts. */
  of(id: string): readonly T[] {
    const found = starts(id).flatMap((start) => this.#plain.get(start) ?? []);
    for (const { at, matches } of this.#globs) if (matches(id)) found.push(at);
    return found.sort((a, b) => a - b).map((at) => this.all[at]!);
  }
}

/** Greedy, linear matching of `first*…*last` without regular expressions, so no pattern is slow. */
function globMatches(parts: readonly string[], id: string): boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (id.length < first.length + last.length || !id.startsWith(first) || !id.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = id.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= id.length - last.length;
}

/** Ids that are listed where nothing is alike. */
const listed = 6;

/** Help for a pattern that means none of the layers: one like it that means some, or what layers there are. */
export function layerHelp(pattern: string, ids: readonly string[]): Help {
  const starts = new Set(ids.flatMap((id) => id.split('.').map((_, i, words) => words.slice(0, i + 1).join('.'))));
  const near = closest(pattern, starts) ?? likePatterns(pattern, ids).find((one) => ids.some(layerMatcher(one)));
  if (near !== undefined) return instead(near);
  return `layers are ${ids.slice(0, listed).join(', ')}${ids.length > listed ? ', …' : ''}`;
}

/** The slips that occur: the front or a number left out, a word too many, a word misspelt. */
function likePatterns(pattern: string, ids: readonly string[]): readonly string[] {
  const words = pattern.split(/[.*]+/).filter((word) => word !== '');
  if (words.length === 0 || pattern.length > 64) return [];
  const spelt = words.map((word) => closest(word, new Set(ids.flatMap((id) => id.split('.')))) ?? word);
  const shorter = words.slice(0, -1).map((_, i) => words.slice(0, words.length - 1 - i).join('.'));
  return [words, spelt]
    .flatMap((some) => {
      const [joined, spread] = [some.join('.'), some.join('.*.')];
      return [joined, `*.${joined}`, `*.${joined}.*`, spread, `${spread}.*`, `*.${spread}`, `*${some.join('*')}*`];
    })
    .concat(shorter);
}
