import { type ExtensionContext, Uri, commands, window } from 'vscode';
import { LanguageClient } from 'vscode-languageclient/browser';
import { clientOptions } from './client.js';
import { graphCommand } from './graph-panel.js';

/** Called by an editor in a browser: the server is a worker, and there is no terminal. */
export async function activate(context: ExtensionContext): Promise<void> {
  const worker = new Worker(Uri.joinPath(context.extensionUri, 'out', 'server-web.js').toString(true));
  const client = new LanguageClient('spikec', 'spikec', worker, clientOptions());
  const absent = (): void => {
    void window.showInformationMessage('spikec: commands need an editor with a terminal');
  };
  const restart = async (): Promise<void> => {
    await client.stop();
    await client.start();
  };
  for (const name of ['cost', 'train', 'report', 'diff'])
    context.subscriptions.push(commands.registerCommand(`spikec.${name}`, absent));
  context.subscriptions.push(
    client,
    graphCommand(context, () => client),
    commands.registerCommand('spikec.restart', restart),
  );
  await client.start();
}
