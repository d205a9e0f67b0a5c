import { workspace } from 'vscode';
import type { LanguageClientOptions } from 'vscode-languageclient';

/** What the server is told of, and what of its answers is shown. */
export function clientOptions(): LanguageClientOptions {
  return {
    documentSelector: [{ language: 'spike' }],
    synchronize: { fileEvents: workspace.createFileSystemWatcher('**/*.{spike,onnx}') },
    middleware: {
      provideInlayHints: (document, range, token, next) => {
        const shown = workspace.getConfiguration('spikec', document).get<boolean>('inlayHints.enabled') ?? true;
        return shown ? next(document, range, token) : [];
      },
    },
  };
}
