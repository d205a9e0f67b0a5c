import type { Source } from '../base/source.js';
import { type Declaration, parsePart } from '../syntax/index.js';

interface Piece {
  readonly start: number;
  readonly end: number;
}

/**
 * A text of the standard library, of which only those declarations are read that are asked for: a model names few of many.
 * It is cut where a declaration begins at the start of a line, as formatted texts have it.
 */
export class LibraryText {
  readonly #uses: readonly Piece[];
  readonly #pieces: ReadonlyMap<string, Piece>;
  readonly #read = new Map<Piece, Declaration | undefined>();

  constructor(readonly source: Source) {
    const heads = [...source.text.matchAll(/^(?:use|(?:block|network|neuron|config) +([A-Za-z_]\w*))\b/gm)];
    const cut = heads.map(({ 1: name, index }, i) => ({
      name,
      piece: { start: index, end: heads[i + 1]?.index ?? source.text.length },
    }));
    this.#uses = cut.flatMap(({ name, piece }) => (name === undefined ? [piece] : []));
    this.#pieces = new Map(cut.flatMap(({ name, piece }) => (name === undefined ? [] : [[name, piece] as const])));
  }

  get names(): readonly string[] {
    return [...this.#pieces.keys()];
  }

  /**
   * The declarations of these names and of all that they mention, behind the text's `use`s; nothing where one isn't there,
   * or where the text can't be read piece by piece. The same declaration is the same object each time.
   */
  declarations(names: readonly string[]): readonly Declaration[] | undefined {
    const wanted = new Set(names);
    for (const name of wanted) {
      const piece = this.#pieces.get(name);
      if (piece === undefined) return undefined;
      const words = this.source.text.slice(piece.start, piece.end).match(/\w+/g) ?? [];
      for (const word of words) if (this.#pieces.has(word)) wanted.add(word);
    }
    const pieces = [...this.#uses, ...[...this.#pieces].flatMap(([name, piece]) => (wanted.has(name) ? [piece] : []))];
    const read = pieces.map((piece) => this.#declaration(piece));
    return read.every((declaration) => declaration !== undefined) ? read : undefined;
  }

  #declaration(piece: Piece): Declaration | undefined {
    if (!this.#read.has(piece)) {
      const { value, diagnostics } = parsePart(this.source, piece.start, piece.end);
      const [only, ...others] = value?.declarations ?? [];
      this.#read.set(piece, diagnostics.length === 0 && others.length === 0 ? only : undefined);
    }
    return this.#read.get(piece);
  }
}

const texts = new Map<string, LibraryText>();

/** The library's texts stay as they are, so that each declaration is read once. */
export function libraryText(name: string, text: string): LibraryText {
  const known = texts.get(name);
  if (known?.source.text === text) return known;
  const made = new LibraryText({ name, text });
  texts.set(name, made);
  return made;
}
