/**
 * Whether the pattern of `layer "…"` means the layer: its id, the start of its id up to a dot, or
 * either with `*` for any characters.
 */
export function layerMatches(pattern: string, id: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return id === pattern || id.startsWith(`${pattern}.`);
  return globMatches(parts, id);
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
