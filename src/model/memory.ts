import type { Diagnostic } from '../base/diagnostics/index.js';
import { type Replaced, replacePlaces } from '../base/replace-places.js';
import type { Source, Span } from '../base/source.js';
import { type Declaration, type ModelFile, SectionMemory } from '../syntax/index.js';
import type { Declared, LoadedFile } from './declared.js';
import type { Reporter } from './reporter.js';

/** Work on one declaration: what it gives depends on the declaration and on those that it names. */
export interface Work {
  /** `keep` says whether what it gives may be given again. */
  run<T>(kind: string, declared: Declared, work: () => T, keep?: (value: T) => boolean): T;
}

/** All of it is done. */
export const allWork: Work = { run: (_, __, work) => work() };

/** What a piece of work gave, and what it went by. */
interface Remembered {
  /** Texts of the declaration and of everything that it leads to. */
  readonly key: string;
  /** All names of the file: what isn't found is explained by them. */
  readonly names: string;
  readonly value: unknown;
  readonly said: readonly Diagnostic[];
}

/**
 * What a file was found to say, declaration by declaration, for when it is checked again after an edit: a declaration is
 * looked at again only where its text, or that of one that it leads to, is another. One file has one memory.
 */
export class CheckMemory {
  readonly sections = new SectionMemory();
  readonly #sources = new Map<string, Source>();
  #others: readonly Source[] = [];
  #main: ModelFile | undefined;
  #remembered: ReadonlyMap<string, Remembered> = new Map();
  /** Pieces of work that the last check had to do. */
  done = 0;

  /** A file that is used: the same source as long as its text is the same, so that it is read once. */
  source(name: string, text: string): Source {
    const known = this.#sources.get(name);
    if (known?.text === text) return known;
    const source = { name, text };
    this.#sources.set(name, source);
    return source;
  }

  /** Begins a check of the files, the file of this memory first. */
  begin(files: readonly [LoadedFile, ...LoadedFile[]], reporter: Reporter): Work {
    const [{ ast: main, scope }, ...rest] = files;
    const others = rest.map(({ ast }) => ast.source);
    const same = others.length === this.#others.length && others.every((one, i) => one === this.#others[i]);
    const before = same ? this.#remembered : new Map<string, Remembered>();
    const now = new Map<string, Remembered>();
    const move = mover(this.#main, main);
    this.#others = others;
    this.#main = main;
    this.#remembered = now;
    this.done = 0;
    // a damaged declaration whose name can't be read may be anything
    const unsure = files.some(({ hidden }) => hidden.size > 0);
    const names = [...scope].map(([name, { declaration, missing }]) => `${name} ${missing ?? declaration.kind}`).join();
    const keys = new Map<Declaration, string>();
    return {
      run: (kind, declared, work, keep = () => true) => {
        const { declaration, file } = declared;
        if (unsure || file.scope.get(declaration.name.text)?.declaration !== declaration) return work();
        const id = `${kind} ${file.ast.source.name} ${declaration.name.text}`;
        const key = keys.get(declaration) ?? keyOf(declared);
        keys.set(declaration, key);
        const known = before.get(id);
        if (known?.key === key && (known.said.length === 0 || known.names === names)) {
          const moved = { key, names, value: move(known.value), said: move(known.said) };
          for (const found of moved.said) reporter.add(found);
          now.set(id, moved);
          if (isObject(moved.value) && isObject(known.value)) origins.set(moved.value, unmoved(known.value));
          return moved.value as ReturnType<typeof work>;
        }
        this.done++;
        const { value, said } = reporter.record(work);
        if (said !== undefined && keep(value)) now.set(id, { key, names, value, said });
        return value;
      },
    };
  }
}

const origins = new WeakMap<object, object>();

/** What a value was when it was made: values that were only moved since are worth the same. */
export function unmoved<T extends object>(value: T): T {
  return (origins.get(value) as T | undefined) ?? value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Puts what was found of declarations of one text where the same declarations stand in another. */
function mover(before: ModelFile | undefined, now: ModelFile): <T>(value: T) => T {
  if (before === undefined) return (value) => value;
  // of two declarations of one name, the first has it
  const places = new Map([...now.declarations].reverse().map((one) => [nameOf(one), one.span.start]));
  const spans = before.declarations.map((one) => ({ span: one.span, to: places.get(nameOf(one)) }));
  const done: Replaced = new Map();
  const replace = (span: Span): Span => {
    if (span.source !== before.source) return span;
    const { span: around, to = around.start } = spans[lastBefore(spans, span.start)]!;
    const by = to - around.start;
    return { source: now.source, start: span.start + by, end: span.end + by };
  };
  return (value) => replacePlaces(value, replace, done);
}

function nameOf(declaration: Declaration): string {
  return declaration.kind === 'use' ? `use ${declaration.path.value}` : declaration.name.text;
}

/** The last declaration that begins at or before an offset. */
function lastBefore(spans: readonly { readonly span: Span }[], offset: number): number {
  let [low, high] = [0, spans.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (spans[middle]!.span.start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

const words = new WeakMap<Declaration, readonly string[]>();

/** The words of a declaration, those of its comments too: among them is every name that it mentions. */
function wordsOf(declaration: Declaration): readonly string[] {
  const known = words.get(declaration);
  if (known !== undefined) return known;
  const made = [...new Set(textOf(declaration).match(/\w+/g))];
  words.set(declaration, made);
  return made;
}

function textOf({ span: { source, start, end } }: Declaration): string {
  return source.text.slice(start, end);
}

/** What a declaration says and what those say that it leads to. */
function keyOf(declared: Declared): string {
  const seen = new Set<Declaration>();
  const parts: string[] = [];
  const queue = [declared];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { declaration, file, missing } = next;
    if (seen.has(declaration)) continue;
    seen.add(declaration);
    parts.push(`${file.ast.source.name} ${missing === true ? 'missing' : textOf(declaration)}`);
    if (missing === true) continue;
    for (const word of wordsOf(declaration)) {
      const meant = file.scope.get(word);
      if (meant === undefined) continue;
      parts.push(`${word} is ${meant.declaration.name.text}`);
      queue.push(meant);
    }
  }
  return parts.join('\n');
}
