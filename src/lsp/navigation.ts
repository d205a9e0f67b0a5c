import type { DocumentHighlight, Location, Position, Range, WorkspaceEdit } from 'vscode-languageserver';
import type { Span } from '../base/source.js';
import type { NameDefinition, ProjectIndex } from '../model/index.js';
import type { Host } from './host.js';
import { holds, offsetAt, rangeOf } from './positions.js';
import type { Analysis } from './project.js';

/** Where the name at a position is defined; of the path of a `use`, the file. */
export function definitionOf(analysis: Analysis, at: Position, host: Host): Location[] {
  const { source, index } = analysis;
  const offset = offsetAt(source.text, at);
  const definition = index?.definitionAt(source.name, offset);
  if (definition !== undefined) return locations([definition.span], host);
  const use = index?.asts
    .get(source.name)
    ?.declarations.find((one) => one.kind === 'use' && holds(one.path.span, offset));
  if (use?.kind !== 'use') return [];
  // a file's first name says where it is
  const first = use.names.map(({ name }) => index!.definitionAt(source.name, name.span.start)).find(Boolean);
  const file = first?.span.source;
  return file === undefined || file === source ? [] : locations([{ source: file, start: 0, end: 0 }], host);
}

/** Every mention of the name at a position, in every file that it is known in. */
export function referencesOf(analysis: Analysis, at: Position, withDefinition: boolean, host: Host): Location[] {
  const found = definitionAt(analysis, at);
  if (found === undefined) return [];
  const { definition, index } = found;
  return locations([...(withDefinition ? [definition.span] : []), ...index.referencesOf(definition)], host);
}

/** The mentions in the document itself. */
export function highlightsOf(analysis: Analysis, at: Position): DocumentHighlight[] {
  const found = definitionAt(analysis, at);
  if (found === undefined) return [];
  return [found.definition.span, ...found.index.referencesOf(found.definition)]
    .filter(({ source }) => source.name === analysis.source.name)
    .map((span) => ({ range: rangeOf(span) }));
}

/** What a rename at a position would replace, if what stands there can be renamed. */
export function renamable(analysis: Analysis, at: Position): Range | undefined {
  const { source, index } = analysis;
  const offset = offsetAt(source.text, at);
  const edits = index?.rename(source.name, offset, 'name') ?? [];
  const here = edits.find(({ span }) => span.source.name === source.name && holds(span, offset));
  return here && rangeOf(here.span);
}

/** The edits that give the thing at a position another name everywhere; nothing where it can't have one. */
export function renamed(analysis: Analysis, at: Position, name: string, host: Host): WorkspaceEdit | undefined {
  const { source, index } = analysis;
  const edits = index?.rename(source.name, offsetAt(source.text, at), name);
  if (edits === undefined) return undefined;
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  for (const { span, text } of edits) {
    const uri = host.uriOf(span.source.name);
    if (uri === undefined) return undefined;
    (changes[uri] ??= []).push({ range: rangeOf(span), newText: text });
  }
  return { changes };
}

function definitionAt(
  { source, index }: Analysis,
  at: Position,
): { readonly definition: NameDefinition; readonly index: ProjectIndex } | undefined {
  const definition = index?.definitionAt(source.name, offsetAt(source.text, at));
  return definition === undefined ? undefined : { definition, index: index! };
}

function locations(spans: readonly Span[], host: Host): Location[] {
  return spans.flatMap((span) => {
    const uri = host.uriOf(span.source.name);
    return uri === undefined ? [] : [{ uri, range: rangeOf(span) }];
  });
}
