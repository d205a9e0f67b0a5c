import { type Help, writing } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { Span } from '../base/source.js';
import {
  type Declaration,
  type GraphDeclaration,
  type ModelFile,
  type UseDeclaration,
  parseWhatHolds,
} from '../syntax/index.js';
import type { Declared, LoadedFile } from './declared.js';
import { layerNamed } from './layers/index.js';
import { libraryFiles, libraryPrefix } from './library-files.js';
import { type LibraryText, libraryText } from './library-text.js';
import type { ModelLoader } from './loader.js';
import type { CheckMemory } from './memory.js';
import { neuronNames } from './other-names.js';
import { folderOf, isInside, isRelative, join } from './paths.js';
import type { Reporter } from './reporter.js';

const maxFiles = 500;

export interface LoadOptions {
  /** `use` and `onnx` may leave the model's folder. */
  readonly allowOutside?: boolean;
  /** What earlier checks of the file found. */
  readonly memory?: CheckMemory;
}

interface Draft extends LoadedFile {
  readonly scope: Map<string, Declared>;
  readonly own: ReadonlyMap<string, Declared>;
  /** Of a file of the standard library: reads what is asked for, and gives the `use`s that this brings. */
  readonly want?: (names: readonly string[]) => readonly UseDeclaration[];
}

/** Reads everything that `main` uses, directly or not, and resolves the names. `main` comes first. */
export function loadFiles(
  main: ModelFile,
  loader: ModelLoader,
  reporter: Reporter,
  options: LoadOptions,
): readonly [LoadedFile, ...LoadedFile[]] {
  const root = folderOf(main.source.name);
  const elsewhere = libraryHelp(loader);
  const first = draft(main, false, reporter, elsewhere);
  const drafts = new Map<string, Draft | undefined>([[join('.', main.source.name), first]]);
  const queue: { readonly file: Draft; readonly uses: readonly UseDeclaration[] }[] = [
    { file: first, uses: usesOf(main) },
  ];
  const want = (file: Draft | undefined, { names }: UseDeclaration): Draft | undefined => {
    const uses = file?.want?.(names.map(({ name }) => name.text)) ?? [];
    if (file !== undefined && uses.length > 0) queue.push({ file, uses });
    return file;
  };
  const load = (use: UseDeclaration, from: Draft): Draft | undefined => {
    const target = locate(use, from, root, reporter, options);
    if (target === undefined) return undefined;
    if (drafts.has(target.path)) return want(drafts.get(target.path), use);
    const text = target.isLibrary ? loader.library(target.path.slice(libraryPrefix.length)) : loader.read(target.path);
    const loaded =
      text === undefined || drafts.size >= maxFiles
        ? undefined
        : read(
            target.path,
            text,
            use.names.map(({ name }) => name.text),
            target.isLibrary,
            reporter,
            elsewhere,
            options.memory,
          );
    if (text === undefined || drafts.size >= maxFiles) {
      const help = target.isLibrary
        ? `the standard library has ${libraryFiles.map((file) => `"${libraryPrefix}${file}"`).join(' and ')}`
        : undefined;
      reporter.report('model/file-not-found', { path: target.path }, use.path.span, { help });
    }
    drafts.set(target.path, loaded);
    if (loaded !== undefined && loaded.want === undefined) queue.push({ file: loaded, uses: usesOf(loaded.ast) });
    return want(loaded, use);
  };
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const use of next.uses) importNames(use, next.file, load(use, next.file), reporter);
  }
  const others = [...drafts.values()].filter((file) => file !== undefined && file !== first) as Draft[];
  return [first, ...others];
}

function usesOf({ declarations }: ModelFile): UseDeclaration[] {
  return declarations.filter((declaration) => declaration.kind === 'use');
}

/** Looks names up in the standard library, which is read when first asked for. */
function libraryHelp(loader: ModelLoader): (name: string) => Help | undefined {
  let known: ReadonlyMap<string, string> | undefined;
  const read = (): ReadonlyMap<string, string> =>
    new Map(
      libraryFiles.flatMap((file) => {
        const text = loader.library(file);
        const parsed =
          text === undefined ? undefined : parseWhatHolds(libraryText(`${libraryPrefix}${file}`, text).source).value;
        return (parsed?.declarations ?? []).flatMap((declaration): [string, string][] =>
          declaration.kind === 'use' ? [] : [[declaration.name.text, `${libraryPrefix}${file}`]],
        );
      }),
    );
  return (name) => {
    known ??= read();
    const meant = known.has(name) ? name : (neuronNames.get(name) ?? '');
    const path = known.get(meant);
    if (path === undefined) return undefined;
    const said =
      meant === name ? `\`${name}\` is in "${path}"` : `what others call ${name} is \`${meant}\` of "${path}"`;
    const text = `${said}: add \`use "${path}" { ${meant} }\``;
    return { text, fix: { kind: 'use', path, name: meant, ...(meant === name ? {} : { instead: meant }) } };
  };
}

function read(
  path: string,
  text: string,
  names: readonly string[],
  isLibrary: boolean,
  reporter: Reporter,
  elsewhere: LoadedFile['elsewhere'],
  memory: CheckMemory | undefined,
): Draft | undefined {
  const library = isLibrary ? libraryText(path, text) : undefined;
  if (library?.declarations(names) !== undefined) return libraryDraft(library, elsewhere);
  const source = library?.source ?? memory?.source(path, text) ?? { name: path, text };
  const parsed = parseWhatHolds(source);
  for (const found of parsed.diagnostics) reporter.add(found);
  return parsed.value === undefined ? undefined : draft(parsed.value, isLibrary, reporter, elsewhere);
}

/** A file of the standard library with nothing in it but what is wanted of it. */
function libraryDraft(library: LibraryText, elsewhere: LoadedFile['elsewhere']): Draft {
  const { source } = library;
  const declarations: Declaration[] = [];
  const [own, scope] = [new Map<string, Declared>(), new Map<string, Declared>()];
  const want = (names: readonly string[]): readonly UseDeclaration[] => {
    // of what isn't there all names are said
    const wanted = library.declarations(names) ?? library.declarations(library.names);
    const fresh = (wanted ?? []).filter((one) => !declarations.includes(one));
    declarations.push(...fresh);
    for (const declaration of fresh) {
      if (declaration.kind === 'use' || own.has(declaration.name.text)) continue;
      own.set(declaration.name.text, { declaration, file });
      scope.set(declaration.name.text, { declaration, file });
    }
    return fresh.filter((declaration) => declaration.kind === 'use');
  };
  const ast: ModelFile = { source, declarations, damaged: [], comments: [] };
  const file: Draft = { ast, isLibrary: true, own, scope, hidden: new Set(), elsewhere, want };
  return file;
}

/** The path a `use` means, or nothing where it may not be read. */
function locate(
  use: UseDeclaration,
  from: Draft,
  root: string,
  reporter: Reporter,
  options: LoadOptions,
): { path: string; isLibrary: boolean } | undefined {
  const written = use.path.value;
  if (written.startsWith(libraryPrefix)) return { path: written, isLibrary: true };
  const path = join(folderOf(from.ast.source.name), written);
  if (from.isLibrary || (!options.allowOutside && (!isRelative(written) || !isInside(root, path)))) {
    reporter.report('model/outside-folder', { path: written, folder: root }, use.path.span, {
      help: 'copy the file into the folder, or allow it with --allow-outside',
    });
    return undefined;
  }
  return { path, isLibrary: false };
}

function draft(ast: ModelFile, isLibrary: boolean, reporter: Reporter, elsewhere: LoadedFile['elsewhere']): Draft {
  const own = new Map<string, Declared>();
  const hidden = new Set(ast.damaged.flatMap(({ kind, nameless }) => (nameless && kind !== undefined ? [kind] : [])));
  const file: Draft = { ast, isLibrary, own, scope: new Map(), hidden, elsewhere };
  for (const declaration of ast.declarations) {
    if (declaration.kind === 'use') continue;
    const { name } = declaration;
    const earlier = own.get(name.text);
    if (earlier !== undefined) {
      const related = [{ place: earlier.declaration.name.span, message: 'first declared here' }];
      reporter.report('model/duplicate-name', { name: name.text }, name.span, { related });
      continue;
    }
    own.set(name.text, { declaration, file });
  }
  for (const { kind, names, span } of ast.damaged) {
    for (const { text } of names) {
      // Loose words may well be a layer's use.
      const isLayer = kind === undefined && layerNamed(text) !== undefined;
      if (!isLayer && !own.has(text)) own.set(text, missing(text, span, file));
    }
  }
  for (const [name, declared] of own) file.scope.set(name, declared);
  return file;
}

function importNames(use: UseDeclaration, into: Draft, from: Draft | undefined, reporter: Reporter): void {
  for (const { name, alias } of use.names) {
    const local = alias ?? name;
    const declared = from?.own.get(name.text);
    if (from !== undefined && declared === undefined && from.hidden.size === 0) {
      const help = (): Help | undefined =>
        from.own.size === 0 ? 'it declares nothing' : suggest(name.text, from.own.keys());
      reporter.report('model/not-exported', { name: name.text, path: use.path.value }, name.span, { help });
    }
    const earlier = into.scope.get(local.text);
    if (earlier === undefined) {
      // A name whose declaration is missing is already reported; its uses shall not be.
      into.scope.set(local.text, declared ?? missing(local.text, use.path.span, into));
    } else if (earlier.missing && into.own.has(local.text)) {
      if (declared !== undefined) into.scope.set(local.text, declared);
    } else if (into.own.has(local.text)) {
      const related = [{ place: local.span, message: 'imported here' }];
      const at = earlier.declaration.name.span;
      reporter.report('model/shadowed-import', { name: local.text }, at, { related });
    } else if (earlier !== declared) {
      reporter.report('model/duplicate-name', { name: local.text }, local.span, {
        help: writing(
          `import it under another name: { ${name.text} as Other${name.text} }`,
          `Import it as \`Other${name.text}\``,
          local.span,
          alias === undefined ? `${name.text} as Other${name.text}` : `Other${name.text}`,
        ),
      });
    }
  }
}

/** A stand-in for a declaration that could not be imported or read, which is already reported. */
function missing(text: string, span: Span, file: Draft): Declared {
  const declaration: GraphDeclaration = { kind: 'block', name: { text, span }, parameters: [], body: [], span };
  return { declaration, file, missing: true };
}
