import { replacePlaces } from '../base/replace-places.js';
import type { Source } from '../base/source.js';
import type { Declaration } from './ast.js';
import type { Section } from './sections.js';

/** The sections of a text without faults, for when it is read again after an edit: what has the same text is only moved. */
export class SectionMemory {
  #source: Source | undefined;
  #known: ReadonlyMap<string, { readonly start: number; readonly declarations: readonly Declaration[] }> = new Map();

  /** What an equal section was read as, moved to where it stands now. */
  find(source: Source, section: Section): readonly Declaration[] | undefined {
    const { start, end } = rangeOf(section);
    const known = this.#known.get(source.text.slice(start, end));
    if (known === undefined) return undefined;
    const [before, by] = [this.#source, start - known.start];
    return replacePlaces(known.declarations, (span) =>
      span.source === before ? { source, start: span.start + by, end: span.end + by } : span,
    );
  }

  keep(
    source: Source,
    sections: readonly Section[],
    parts: readonly { readonly declarations: readonly Declaration[] | undefined }[],
  ): void {
    this.#source = source;
    this.#known = new Map(
      sections.flatMap((section, i) => {
        const { declarations } = parts[i]!;
        const { start, end } = rangeOf(section);
        return declarations === undefined ? [] : [[source.text.slice(start, end), { start, declarations }] as const];
      }),
    );
  }
}

function rangeOf({ tokens }: Section): { start: number; end: number } {
  const last = tokens.at(-1)!;
  return { start: tokens[0]!.startOffset, end: last.startOffset + last.image.length };
}
