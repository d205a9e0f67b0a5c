import { LSPClient, type Transport, formatDocument, languageServerExtensions } from '@codemirror/lsp-client';
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from '@codemirror/language';
import { tags } from '@lezer/highlight';
import { EditorView } from '@codemirror/view';
import { basicSetup } from 'codemirror';

/** The words of the language: `pack.mjs` puts them in. */
declare const spikecKeywords: readonly string[];

const uri = 'file:///model.spike';

const language = StreamLanguage.define<object>({
  startState: () => ({}),
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return 'string';
    if (stream.match(/^\d+(\.\d+)?([eE][+-]?\d+)?/)) return 'number';
    if (stream.match(/^[A-Za-z_]\w*/)) {
      const word = stream.current();
      if (spikecKeywords.includes(word)) return 'keyword';
      return /^[A-Z]/.test(word) ? 'typeName' : 'variableName';
    }
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '//' } },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: 'light-dark(#7b1fa2, #d7a6f5)' },
  { tag: tags.typeName, color: 'light-dark(#0b57d0, #8ab4f8)' },
  { tag: tags.string, color: 'light-dark(#146c2e, #7fd99a)' },
  { tag: tags.number, color: 'light-dark(#9a4600, #ffb77c)' },
  { tag: tags.comment, color: 'light-dark(#5f6368, #9aa0a6)', fontStyle: 'italic' },
]);

const theme = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--back)' },
  '.cm-content': { caretColor: 'var(--text)', fontFamily: 'ui-monospace, monospace' },
  '.cm-gutters': { backgroundColor: 'var(--soft)', color: 'light-dark(#5f6368, #a9adb5)', border: '0' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'light-dark(#f0f3f9, #23272e)' },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--soft)', border: '1px solid var(--line)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'light-dark(#cfe0fc, #33507a) !important',
  },
});

/** The server in its worker, which takes messages as objects. */
function transport(): Transport {
  const worker = new Worker('server-worker.js');
  const handlers = new Set<(message: string) => void>();
  worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    for (const handler of handlers) handler(JSON.stringify(data));
  });
  return {
    send: (message) => worker.postMessage(JSON.parse(message)),
    subscribe: (handler) => void handlers.add(handler),
    unsubscribe: (handler) => void handlers.delete(handler),
  };
}

/** A model file's editor, with the language server behind it. `changed` hears of every change of the text. */
export function openEditor(parent: HTMLElement, text: string, changed: () => void): EditorView {
  const client = new LSPClient({ extensions: languageServerExtensions() }).connect(transport());
  return new EditorView({
    parent,
    doc: text,
    extensions: [
      basicSetup,
      language,
      syntaxHighlighting(colours),
      theme,
      EditorView.contentAttributes.of({ 'aria-label': 'Model file', tabindex: '0' }),
      EditorView.updateListener.of(({ docChanged }) => docChanged && changed()),
      client.plugin(uri, 'spike'),
    ],
  });
}

export function replaceText(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

export { formatDocument };
