import { type DocumentSymbol, type FoldingRange, FoldingRangeKind, SymbolKind } from 'vscode-languageserver';
import type { Span } from '../base/source.js';
import type { NameDefinition } from '../model/index.js';
import type { Comment, Declaration, ModelFile } from '../syntax/index.js';
import { positionAt, rangeOf } from './positions.js';
import type { Analysis } from './project.js';

const kinds: Readonly<Record<NameDefinition['kind'], SymbolKind>> = {
  block: SymbolKind.Function,
  network: SymbolKind.Class,
  neuron: SymbolKind.Struct,
  config: SymbolKind.Object,
  import: SymbolKind.Module,
  parameter: SymbolKind.TypeParameter,
  input: SymbolKind.Field,
  value: SymbolKind.Variable,
  state: SymbolKind.Property,
};

/** The declarations of a document with what they name, in the order of the text. */
export function outlineOf({ source, index }: Analysis): DocumentSymbol[] {
  const ast = index?.asts.get(source.name);
  const symbols = index?.files.get(source.name)?.symbols ?? [];
  if (ast === undefined) return [];
  return ast.declarations.flatMap((declaration): DocumentSymbol[] => {
    if (declaration.kind === 'use') return [];
    const own = symbols.find(({ span }) => span.start === declaration.name.span.start);
    const inside = symbols.filter(({ within }) => within !== undefined && within === own);
    return [
      {
        name: declaration.name.text,
        detail: detailOf(declaration),
        kind: kinds[declaration.kind],
        range: rangeOf(declaration.span),
        selectionRange: rangeOf(declaration.name.span),
        children: inside.map(({ name, kind, span }) => ({
          name,
          kind: kinds[kind],
          range: rangeOf(span),
          selectionRange: rangeOf(span),
        })),
      },
    ];
  });
}

function detailOf(declaration: Exclude<Declaration, { kind: 'use' }>): string {
  if (declaration.kind === 'config')
    return declaration.base === undefined ? 'config' : `config, extends ${declaration.base.text}`;
  const names = declaration.parameters.map(({ name }) => name.text);
  return names.length === 0 ? declaration.kind : `${declaration.kind} (${names.join(', ')})`;
}

/** What spans several lines: declarations, blocks of settings, runs of comments. */
export function foldsOf({ source, index }: Analysis): FoldingRange[] {
  const ast = index?.asts.get(source.name);
  if (ast === undefined) return [];
  return [...ast.declarations.flatMap(spansOf).flatMap(foldOf), ...commentFolds(ast)];
}

function spansOf(declaration: Declaration): readonly Span[] {
  if (declaration.kind !== 'config') return [declaration.span];
  const inner = (settings: typeof declaration.settings): readonly Span[] =>
    settings.flatMap((one) => (one.settings === undefined ? [] : [one.span, ...inner(one.settings)]));
  return [declaration.span, ...inner(declaration.settings)];
}

function foldOf({ source, start, end }: Span): FoldingRange[] {
  const [startLine, endLine] = [positionAt(source, start).line, positionAt(source, end).line];
  return endLine > startLine ? [{ startLine, endLine }] : [];
}

function commentFolds({ source, comments }: ModelFile): FoldingRange[] {
  const runs: Comment[][] = [];
  for (const comment of comments) {
    const last = runs.at(-1)?.at(-1);
    const isNext =
      last !== undefined && /^[ \t]*\r?\n[ \t]*$/.test(source.text.slice(last.span.end, comment.span.start));
    if (isNext) runs.at(-1)!.push(comment);
    else runs.push([comment]);
  }
  return runs.flatMap((run) => {
    const [fold] = foldOf({ source, start: run[0]!.span.start, end: run.at(-1)!.span.end });
    return fold === undefined ? [] : [{ ...fold, kind: FoldingRangeKind.Comment }];
  });
}
