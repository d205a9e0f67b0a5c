import type { Source, Span } from '../../base/source.js';
import { type ConfigDeclaration, type ModelFile, parseWhatHolds } from '../../syntax/index.js';
import type { Declared, LoadedFile } from '../declared.js';
import { type LoadOptions, loadFiles } from '../load.js';
import type { ModelLoader } from '../loader.js';
import { Reporter } from '../reporter.js';
import { FileIndexer } from './file-indexer.js';
import { patternMentions } from './patterns.js';
import type { Draft, NameDefinition } from './symbols.js';

export type { NameDefinition, SymbolKind } from './symbols.js';

/** Definitions and references of one file. */
export interface NameIndex {
  /** In the order of the text. */
  readonly symbols: readonly NameDefinition[];
  /** What the name at an offset means, be it defined or mentioned there: for an imported name, the import. */
  readonly definitionAt: (offset: number) => NameDefinition | undefined;
}

/** A place in a file whose text is replaced. */
export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** Definitions and references of a file and all that it uses: what a language server asks. */
export interface ProjectIndex {
  /** By the name of the source; the file itself first. */
  readonly files: ReadonlyMap<string, NameIndex>;
  readonly asts: ReadonlyMap<string, ModelFile>;
  /** What a name of a file means: where it is defined, be it in another file. */
  readonly definitionAt: (file: string, offset: number) => NameDefinition | undefined;
  /** Every mention in every file, its definition not included. */
  readonly referencesOf: (definition: NameDefinition) => readonly Span[];
  /** What to replace so that a thing has another name everywhere; nothing for what the standard library defines. */
  readonly rename: (file: string, offset: number, name: string) => readonly Edit[] | undefined;
}

/** Indexes the declarations of a file that could be read. Layers, functions and names of other files have no definition. */
export function indexNames(ast: ModelFile): NameIndex {
  const scope = new Map<string, Declared>();
  const file: IndexedFile = { ast, isLibrary: false, scope };
  for (const declaration of ast.declarations) {
    if (declaration.kind === 'use' || scope.has(declaration.name.text)) continue;
    scope.set(declaration.name.text, { declaration, file: file as LoadedFile });
  }
  const [[, index]] = [...indexFiles([file])] as [[FileIndexer, NameIndex]];
  return index;
}

/** Indexes a file with everything that it uses, whatever is wrong with it; what can't be read is left out. */
export function indexProject(source: Source, loader: ModelLoader, options: LoadOptions = {}): ProjectIndex | undefined {
  const { value } = parseWhatHolds(source);
  if (value === undefined) return undefined;
  const files = loadFiles(value, loader, new Reporter(), options);
  const indexes = indexFiles(files);
  const byName = new Map([...indexes].map(([{ ast }, index]) => [ast.source.name, index] as const));
  const libraries = new Set(files.filter(({ isLibrary }) => isLibrary).map(({ ast }) => ast.source.name));
  const imports = [...byName.values()].flatMap(({ symbols }) => symbols.filter(({ means }) => means !== undefined));
  const importsOf = (definition: NameDefinition): readonly NameDefinition[] =>
    imports.filter(({ means }) => means === definition);
  const renamed = (definition: NameDefinition): readonly Span[] => [
    definition.span,
    ...definition.references,
    ...importsOf(definition).flatMap(({ original, span, references }) =>
      original === undefined ? [span, ...references] : [original],
    ),
  ];
  const at = (file: string, offset: number): NameDefinition | undefined => byName.get(file)?.definitionAt(offset);
  return {
    files: byName,
    asts: new Map(files.map(({ ast }) => [ast.source.name, ast])),
    definitionAt: (file, offset) => {
      const found = at(file, offset);
      return found?.means ?? found;
    },
    referencesOf: (definition) => [
      ...definition.references,
      ...importsOf(definition).flatMap(({ original, span, references }) => [original ?? span, ...references]),
    ],
    rename: (file, offset, name) => {
      const found = at(file, offset);
      if (found === undefined) return undefined;
      const isAlias = found.original !== undefined && !holds(found.original, offset);
      const definition = isAlias ? found : (found.means ?? found);
      // an import whose file isn't there can't be renamed where it is declared
      if (libraries.has(definition.span.source.name) || (definition.kind === 'import' && !isAlias)) return undefined;
      return renamed(definition).map((span) => ({ span, text: name }));
    },
  };
}

type IndexedFile = Pick<LoadedFile, 'ast' | 'isLibrary' | 'scope'>;

function holds({ start, end }: Span, offset: number): boolean {
  return offset >= start && offset <= end;
}

function indexFiles(files: readonly IndexedFile[]): ReadonlyMap<FileIndexer, NameIndex> {
  const indexers = new Map(files.map(({ ast }) => [ast, new FileIndexer(ast)] as const));
  for (const { ast, scope } of files) {
    for (const [name, { declaration, file, missing }] of scope) {
      const other = file.ast === ast || missing ? undefined : indexers.get(file.ast);
      const target = other?.top.get(declaration.name.text);
      if (target !== undefined) indexers.get(ast)!.link(name, target, other!.parametersOf(target));
    }
  }
  for (const indexer of indexers.values()) indexer.mentions();
  for (const file of files) {
    for (const declaration of file.ast.declarations) {
      if (declaration.kind !== 'config') continue;
      const config: Declared<ConfigDeclaration> = { declaration, file: file as LoadedFile };
      for (const { span, graph, name } of patternMentions(config)) {
        indexers.get(graph.file.ast)?.bindingOf(graph.declaration, name)?.references.push(span);
      }
    }
  }
  return new Map([...indexers.values()].map((indexer) => [indexer, indexOf(indexer, [...indexers.values()])] as const));
}

/** A file's own mentions first, in the order of the text. */
function byPlace(own: Source): (a: Span, b: Span) => number {
  const rank = ({ source }: Span): string => (source === own ? '' : source.name);
  return (a, b) => rank(a).localeCompare(rank(b)) || a.start - b.start;
}

function indexOf({ ast, symbols: own }: FileIndexer, all: readonly FileIndexer[]): NameIndex {
  const symbols = [...own].sort((a, b) => a.span.start - b.span.start);
  for (const { references } of symbols) references.sort(byPlace(ast.source));
  // parameters and bindings are mentioned in other files too
  const mentioned: readonly Draft[] = all.flatMap(({ symbols: theirs }) => theirs);
  const isHere = ({ source }: Span): boolean => source === ast.source;
  return {
    symbols,
    definitionAt: (offset) =>
      mentioned.find(({ span, original, references }) =>
        [span, ...(original === undefined ? [] : [original]), ...references].some(
          (one) => isHere(one) && holds(one, offset),
        ),
      ),
  };
}
