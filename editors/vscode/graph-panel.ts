import { type Disposable, type ExtensionContext, Range, Uri, ViewColumn, commands, window, workspace } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import type { ShownGraph } from '../../src/lsp/graph.js';
import { GraphFollower, graphHtml } from './graph-follower.js';
import type { FromGraphPage } from './graph-messages.js';

/** The command that opens the graph beside the text. */
export function graphCommand(context: ExtensionContext, client: () => BaseLanguageClient | undefined): Disposable {
  return commands.registerCommand('spikec.graph', () => open(context, client));
}

function open(context: ExtensionContext, client: () => BaseLanguageClient | undefined): void {
  const out = Uri.joinPath(context.extensionUri, 'out');
  const panel = window.createWebviewPanel(
    'spikec.graph',
    'spikec graph',
    { viewColumn: ViewColumn.Beside, preserveFocus: true },
    { enableScripts: true, localResourceRoots: [out], retainContextWhenHidden: true },
  );
  const follower = new GraphFollower({
    ask: (uri, position) =>
      client()?.sendRequest<ShownGraph | null>('spikec/graph', { textDocument: { uri }, position }) ??
      Promise.resolve(null),
    post: (message) => void panel.webview.postMessage(message),
    reveal: ({ uri, range: { start, end } }) => {
      const selection = new Range(start.line, start.character, end.line, end.character);
      void window.showTextDocument(Uri.parse(uri), { selection, viewColumn: ViewColumn.One });
    },
  });
  const follow = (): void => {
    const at = window.activeTextEditor;
    if (at?.document.languageId !== 'spike') return;
    const { line, character } = at.selection.active;
    void follower.follow(at.document.uri.toString(), { line, character });
  };
  const listening = [
    panel.webview.onDidReceiveMessage((message: FromGraphPage) => follower.receive(message)),
    window.onDidChangeTextEditorSelection(follow),
    window.onDidChangeActiveTextEditor(follow),
    workspace.onDidChangeTextDocument(follow),
  ];
  panel.onDidDispose(() => listening.forEach((one) => one.dispose()));
  const script = panel.webview.asWebviewUri(Uri.joinPath(out, 'graph-page.js')).toString();
  panel.webview.html = graphHtml(script, panel.webview.cspSource);
  follow();
}
