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
