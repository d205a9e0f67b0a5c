import {
  type Diagnostic as Shown,
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  DiagnosticTag,
} from 'vscode-languageserver';
import type { Code, Diagnostic, Related } from '../base/diagnostics/index.js';
import { type Source, describePlace, isSpan } from '../base/source.js';
import type { Host } from './host.js';
import type { Analysis } from './project.js';
import { positionAt, rangeOf } from './positions.js';

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  note: DiagnosticSeverity.Information,
} as const;

/** Codes of what can be left out: shown faded. */
const unnecessary: ReadonlySet<Code> = new Set(['model/unused', 'model/unused-parameter']);

/** What a document is told: its own diagnostics, and those of files that it uses at the `use` that brings them in. */
export function shownDiagnostics({ source, diagnostics, index }: Analysis, host: Host): Shown[] {
  const uses = index?.asts.get(source.name)?.declarations.filter((one) => one.kind === 'use') ?? [];
  return diagnostics.map((found) => {
    const own = found.place !== undefined && isSpan(found.place) && found.place.source.name === source.name;
    if (own) return shown(found, rangeOf(found.place), host);
    // the first `use` of a file stands for those that it uses in turn
    const name = found.place !== undefined && isSpan(found.place) ? found.place.source.name : '';
    const use = uses.find(({ path }) => name.endsWith(path.value.replace(/^(\.\/)+/, ''))) ?? uses[0];
    const range = use === undefined ? topOf(source) : rangeOf(use.path.span);
    const where = found.place === undefined ? '' : `${describePlace(found.place)}: `;
    return shown({ ...found, message: `${where}${found.message}` }, range, host);
  });
}

function topOf(source: Source): Shown['range'] {
  return { start: positionAt(source, 0), end: positionAt(source, 0) };
}

function shown(found: Diagnostic, range: Shown['range'], host: Host): Shown {
  const related = (found.related ?? []).flatMap((one) => relatedOf(one, host));
  return {
    range,
    severity: severities[found.severity],
    code: found.code,
    source: 'spikec',
    message: found.help === undefined ? found.message : `${found.message}\nhelp: ${found.help}`,
    ...(related.length === 0 ? {} : { relatedInformation: related }),
    ...(unnecessary.has(found.code) ? { tags: [DiagnosticTag.Unnecessary] } : {}),
  };
}

function relatedOf({ place, message }: Related, host: Host): DiagnosticRelatedInformation[] {
  const uri = isSpan(place) ? host.uriOf(place.source.name) : undefined;
  return uri === undefined || !isSpan(place) ? [] : [{ location: { uri, range: rangeOf(place) }, message }];
}
