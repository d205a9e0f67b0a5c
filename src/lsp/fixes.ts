import { type CodeAction, CodeActionKind, type Range, type TextEdit } from 'vscode-languageserver';
import type { Diagnostic, Fix } from '../base/diagnostics/index.js';
import { type Source, type Span, isSpan } from '../base/source.js';
import type { ModelFile } from '../syntax/index.js';
import { quote } from '../syntax/print-expression.js';
import type { Host } from './host.js';
import { shownDiagnostics } from './diagnostics.js';
import { positionAt, rangeOf } from './positions.js';
import type { Analysis } from './project.js';

/** What can be done about the diagnostics of a range: one action for each remedy that an editor can carry out. */
export function fixesIn(analysis: Analysis, uri: string, range: Range, host: Host): CodeAction[] {
  const { source, diagnostics, index } = analysis;
  const shown = shownDiagnostics(analysis, host);
  const ast = index?.asts.get(source.name);
  return diagnostics.flatMap((found, i): CodeAction[] => {
    const { place, fix } = found;
    if (place === undefined || !isSpan(place) || place.source.name !== source.name) return [];
    if (!touch(rangeOf(place), range)) return [];
    return actionsFor(found, fix, place, ast).map(({ title, edits }) => ({
      title,
      kind: CodeActionKind.QuickFix,
      diagnostics: [shown[i]!],
      isPreferred: true,
      edit: { changes: { [uri]: edits } },
    }));
  });
}

interface Action {
  readonly title: string;
  readonly edits: TextEdit[];
}

function actionsFor(found: Diagnostic, fix: Fix | undefined, place: Span, ast: ModelFile | undefined): Action[] {
  if (fix?.kind === 'replace')
    return [{ title: `Replace with \`${fix.text}\``, edits: [replacement(place, fix.text)] }];
  if (fix?.kind === 'write') return [{ title: fix.title, edits: [{ range: rangeOf(fix.span), newText: fix.text }] }];
  if (fix?.kind === 'use') {
    const title = `Add \`use ${quote(fix.path)} { ${fix.name} }\``;
    const renamed = fix.instead === undefined ? [] : [replacement(place, fix.instead)];
    return [{ title, edits: [...importEdits(fix.path, fix.name, place.source, ast), ...renamed] }];
  }
  if (found.code === 'model/unused' && ast !== undefined) return removal(place, ast);
  return [];
}

/** A name in the place of a name; what stood in quotes stays there. */
function replacement(place: Span, text: string): TextEdit {
  const written = place.source.text.slice(place.start, place.end);
  return { range: rangeOf(place), newText: written.startsWith('"') ? quote(text) : text };
}

/** Adds a name to the `use` of a path, or a `use` behind those that there are. */
function importEdits(path: string, name: string, source: Source, ast: ModelFile | undefined): TextEdit[] {
  const uses = ast?.declarations.filter((one) => one.kind === 'use') ?? [];
  const same = uses.find((one) => one.path.value === path);
  const last = same?.names.at(-1);
  if (last !== undefined) return [insertion(source, last.span.end, `, ${name}`)];
  const line = `use ${quote(path)} { ${name} }`;
  const before = uses.at(-1);
  if (before !== undefined) return [insertion(source, before.span.end, `\n${line}`)];
  const first = ast?.declarations[0]?.span.start ?? source.text.length;
  const above = ast?.comments.find(({ span }) => span.start < first)?.span.start ?? first;
  // a comment right above the first declaration belongs to it
  return [insertion(source, Math.min(first, above), `${line}\n\n`)];
}

function insertion(source: Source, offset: number, newText: string): TextEdit {
  const at = positionAt(source, offset);
  return { range: { start: at, end: at }, newText };
}

/** Takes the statement of an unused binding out, with its line where it stands alone on it. */
function removal(place: Span, ast: ModelFile): Action[] {
  const statement = ast.declarations
    .flatMap((one) => (one.kind === 'network' || one.kind === 'block' ? one.body : []))
    .find((one) => one.kind === 'assignment' && one.name.span.start === place.start);
  if (statement === undefined) return [];
  const { text } = place.source;
  let { start, end } = statement.span;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  if (text.slice(lineStart, start).trim() === '' && lineEnd !== -1 && text.slice(end, lineEnd).trim() === '') {
    [start, end] = [lineStart, lineEnd + 1];
  }
  return [
    {
      title: 'Remove what nothing uses',
      edits: [{ range: rangeOf({ source: place.source, start, end }), newText: '' }],
    },
  ];
}

function touch(a: Range, b: Range): boolean {
  const before = (x: Range, y: Range): boolean =>
    x.end.line < y.start.line || (x.end.line === y.start.line && x.end.character < y.start.character);
  return !before(a, b) && !before(b, a);
}
