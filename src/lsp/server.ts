import {
  CodeActionKind,
  type Connection,
  type InitializeResult,
  type TextDocumentPositionParams,
  TextDocuments,
  TextDocumentSyncKind,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { completionsAt } from './completion/index.js';
import { withoutPlaces } from './completion/items.js';
import { shownDiagnostics } from './diagnostics.js';
import { fixesIn } from './fixes.js';
import { formatted } from './format.js';
import { graphAt } from './graph.js';
import { hintsIn } from './hints.js';
import type { Host } from './host.js';
import { hoverOf } from './hover.js';
import { type LensArguments, costLens, lensesOf } from './lenses.js';
import { definitionOf, highlightsOf, referencesOf, renamable, renamed } from './navigation.js';
import { foldsOf, outlineOf } from './outline.js';
import { type Analysis, Project } from './project.js';
import { semanticTokens, tokenModifiers, tokenTypes } from './semantic-tokens.js';

/** How long a document is left alone before it is looked at, in milliseconds: keys come faster. */
const pause = 60;

/**
 * Serves a connection: documents come from the editor, and what they use from the host. Begin with `connection.listen()`.
 * Gives what ends it.
 */
export function serve(connection: Connection, host: Host): () => void {
  const project = new Project(host);
  const documents = new TextDocuments(TextDocument);
  const shown = new Map<string, ReturnType<typeof setTimeout>>();

  let snippets = false;
  connection.onInitialize(({ capabilities: client }) => {
    snippets = client.textDocument?.completion?.completionItem?.snippetSupport === true;
    return capabilities;
  });

  const show = (uri: string): void => {
    shown.delete(uri);
    const analysis = project.analysis(uri);
    if (analysis === undefined) return;
    void connection.sendDiagnostics({ uri, diagnostics: shownDiagnostics(analysis, host) });
  };
  /** All open documents: what one says, others may use. */
  const showSoon = (): void => {
    for (const uri of documents.keys()) {
      clearTimeout(shown.get(uri));
      shown.set(uri, setTimeout(show, pause, uri));
    }
  };
  documents.onDidChangeContent(({ document }) => {
    project.change(document.uri, document.getText());
    showSoon();
  });
  documents.onDidClose(({ document: { uri } }) => {
    project.close(uri);
    clearTimeout(shown.get(uri));
    shown.delete(uri);
    void connection.sendDiagnostics({ uri, diagnostics: [] });
    showSoon();
  });
  connection.onDidChangeWatchedFiles(() => {
    project.refresh();
    showSoon();
  });

  const of = <T>(uri: string, otherwise: T, ask: (analysis: Analysis) => T): T => {
    const analysis = project.analysis(uri);
    return analysis === undefined ? otherwise : ask(analysis);
  };
  const at =
    <T>(ask: (analysis: Analysis, params: TextDocumentPositionParams) => T | undefined) =>
    (params: TextDocumentPositionParams): T | null =>
      of<T | null>(params.textDocument.uri, null, (analysis) => ask(analysis, params) ?? null);

  connection.onCompletion(
    at((analysis, { position }) => {
      const items = completionsAt(analysis, position, host);
      return snippets ? items : items.map(withoutPlaces);
    }),
  );
  connection.onHover(at((analysis, { position }) => hoverOf(analysis, position)));
  // what a panel beside the text draws: no part of the protocol
  connection.onRequest(
    'spikec/graph',
    at((analysis, { position }) => graphAt(analysis, position, host)),
  );
  connection.onDefinition(at((analysis, { position }) => definitionOf(analysis, position, host)));
  connection.onReferences(({ textDocument, position, context }) =>
    of(textDocument.uri, [], (analysis) => referencesOf(analysis, position, context.includeDeclaration, host)),
  );
  connection.onDocumentHighlight(at((analysis, { position }) => highlightsOf(analysis, position)));
  connection.onPrepareRename(at((analysis, { position }) => renamable(analysis, position)));
  connection.onRenameRequest(({ textDocument, position, newName }) =>
    of(textDocument.uri, null, (analysis) => renamed(analysis, position, newName, host) ?? null),
  );
  connection.onDocumentSymbol(({ textDocument }) => of(textDocument.uri, [], outlineOf));
  connection.onFoldingRanges(({ textDocument }) => of(textDocument.uri, [], foldsOf));
  connection.onDocumentFormatting(({ textDocument }) => of(textDocument.uri, [], formatted));
  connection.onCodeAction(({ textDocument: { uri }, range }) =>
    of(uri, [], (analysis) => fixesIn(analysis, uri, range, host)),
  );
  connection.onCodeLens(({ textDocument: { uri } }) => of(uri, [], (analysis) => lensesOf(analysis, uri)));
  connection.onCodeLensResolve((lens) =>
    of((lens.data as LensArguments).uri, lens, (analysis) => costLens(lens, analysis)),
  );
  connection.languages.inlayHint.on(({ textDocument, range }) =>
    of(textDocument.uri, [], (analysis) => hintsIn(analysis, range)),
  );
  connection.languages.semanticTokens.on(({ textDocument }) => of(textDocument.uri, { data: [] }, semanticTokens));
  documents.listen(connection);
  const stop = (): void => {
    for (const timer of shown.values()) clearTimeout(timer);
    shown.clear();
  };
  connection.onShutdown(stop);
  return stop;
}

const capabilities: InitializeResult = {
  capabilities: {
    textDocumentSync: TextDocumentSyncKind.Incremental,
    completionProvider: { triggerCharacters: ['|', '"', '(', ',', ':'] },
    hoverProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    documentFormattingProvider: true,
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    codeLensProvider: { resolveProvider: true },
    inlayHintProvider: true,
    semanticTokensProvider: {
      legend: { tokenTypes: [...tokenTypes], tokenModifiers: [...tokenModifiers] },
      full: true,
    },
  },
  serverInfo: { name: 'spikec' },
};
