import { structuredPatch } from 'diff';

/** Lines of a printed program that belong to one op of the network; '' for those of none. */
export type ProgramText = ReadonlyMap<string, readonly string[]>;

/** What differs in the program of one op. */
export interface ProgramHunk {
  /** The op's id in the first network, else in the second. */
  readonly id: string;
  /** Each begins with `-`, `+` or a blank. */
  readonly lines: readonly string[];
}

const contextLines = 1;

/** Compares programs op by op, so that a long program differs only where its network does. */
export function diffPrograms(
  from: ProgramText,
  to: ProgramText,
  counterpart: (id: string) => string | undefined,
): ProgramHunk[] {
  const hunks: ProgramHunk[] = [];
  const seen = new Set<string>();
  for (const [id, lines] of from) {
    const other = id === '' ? '' : counterpart(id);
    if (other !== undefined) seen.add(other);
    push(hunks, id, lines, (other === undefined ? undefined : to.get(other)) ?? []);
  }
  for (const [id, lines] of to) if (!seen.has(id)) push(hunks, id, [], lines);
  return hunks;
}

function push(hunks: ProgramHunk[], id: string, from: readonly string[], to: readonly string[]): void {
  const [a, b] = [textOf(from), textOf(to)];
  if (a === b) return;
  const patch = structuredPatch('', '', a, b, '', '', { context: contextLines });
  hunks.push({ id, lines: patch.hunks.flatMap((hunk, i) => [...(i === 0 ? [] : [' …']), ...hunk.lines]) });
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
