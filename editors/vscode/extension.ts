import { basename, dirname } from 'node:path';
import { type ExtensionContext, Uri, commands, window, workspace } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import type { LensArguments } from '../../src/lsp/lenses.js';
import { clientOptions } from './client.js';
import { graphCommand } from './graph-panel.js';

let client: LanguageClient | undefined;

/** Called by the editor when the first model file is opened. */
export async function activate(context: ExtensionContext): Promise<void> {
  const module = Uri.joinPath(context.extensionUri, 'out', 'server.mjs').fsPath;
  const server = { module, transport: TransportKind.stdio };
  client = new LanguageClient('spikec', 'spikec', server, clientOptions());
  context.subscriptions.push(
    commands.registerCommand('spikec.cost', (args?: LensArguments) => inTerminal(args, (t) => ['cost', t])),
    commands.registerCommand('spikec.train', (args?: LensArguments) => inTerminal(args, (t) => ['train', t])),
    commands.registerCommand('spikec.report', (args?: LensArguments) =>
      inTerminal(args, (t, name) => ['report', t, '-o', `${name}.html`]),
    ),
    commands.registerCommand('spikec.diff', (args?: LensArguments) =>
      inTerminal(args, (t, _, file) => ['diff', `${file}#${args?.base ?? ''}`, t]),
    ),
    graphCommand(context, () => client),
    commands.registerCommand('spikec.restart', () => client?.restart()),
  );
  await client.start();
}

export async function deactivate(): Promise<void> {
  await client?.dispose();
}

/** Runs a command of the command line on a config, in the folder of its file. */
async function inTerminal(
  args: LensArguments | undefined,
  command: (target: string, config: string, file: string) => readonly string[],
): Promise<void> {
  const document = window.activeTextEditor?.document;
  const uri = args === undefined ? document?.uri : Uri.parse(args.uri);
  if (uri?.scheme !== 'file') {
    void window.showInformationMessage('spikec: save the model file first');
    return;
  }
  if (!workspace.isTrusted) {
    void window.showWarningMessage('spikec: commands run in trusted workspaces only');
    return;
  }
  const config = args?.config ?? (await askForConfig(document?.getText() ?? ''));
  if (config === undefined) return;
  await workspace.textDocuments.find((one) => one.uri.toString() === uri.toString())?.save();
  const file = basename(uri.fsPath);
  const words = workspace.getConfiguration('spikec').get<readonly string[]>('command') ?? ['npx', 'spikec'];
  const terminal = window.createTerminal({ name: `spikec ${config}`, cwd: dirname(uri.fsPath) });
  terminal.show();
  terminal.sendText([...words, ...command(`${file}#${config}`, config, file)].map(quoted).join(' '));
}

/** An argument as a shell takes it. */
function quoted(text: string): string {
  if (/^[\w#./\\:@,=+-]+$/.test(text)) return text;
  return process.platform === 'win32' ? `"${text.replaceAll('"', '')}"` : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function askForConfig(text: string): Thenable<string | undefined> {
  const names = [...text.matchAll(/^\s*config\s+([A-Za-z_]\w*)/gm)].map((match) => match[1]!);
  return names.length === 1 ? Promise.resolve(names[0]) : window.showQuickPick(names, { placeHolder: 'Which config?' });
}
