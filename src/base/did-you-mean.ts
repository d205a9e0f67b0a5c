import type { Help, Remedy } from './diagnostics/remedy.js';

/** Edit distance with transpositions (Damerau–Levenshtein, restricted). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

/** So many names are compared with at most: a file of thousands of wrong names shall not cost minutes. */
const maxCandidates = 1000;

/** The candidate most like `name`, if one is near enough to be a likely slip. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  if (name.length > 64) return undefined;
  let looked = 0;
  for (const candidate of candidates) {
    if (looked++ === maxCandidates) break;
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A help line `did you mean "x"?`, which an editor can carry out, or the list of what there is when it is short. */
export function suggest(name: string, candidates: Iterable<string>): Help | undefined {
  const all = [...candidates];
  const near = nearest(name, all);
  if (near !== undefined) return near;
  if (all.length === 0 || all.length > 12) return undefined;
  return `there ${all.length === 1 ? 'is' : 'are'}: ${all.sort().join(', ')}`;
}

/** The same without the list, for messages that have it themselves. */
export function nearest(name: string, candidates: Iterable<string>): Remedy | undefined {
  const near = closest(name, candidates);
  return near === undefined ? undefined : instead(near);
}

/** `did you mean "x"?`, where `x` may stand in the place of what the diagnostic points at. */
export function instead(near: string): Remedy {
  return { text: `did you mean "${near}"?`, fix: { kind: 'replace', text: near } };
}
