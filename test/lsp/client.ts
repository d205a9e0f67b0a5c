import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { createConnection } from 'vscode-languageserver/node';
import {
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type TextEdit,
  createProtocolConnection,
} from 'vscode-languageserver-protocol/node';
import { diskHost } from '../../src/lsp/disk-host.js';
import type { Host } from '../../src/lsp/host.js';
import { serve } from '../../src/lsp/server.js';

/** An editor: documents with cursors in them, and what the server says of these. */
export class Editor {
  readonly #texts = new Map<string, string>();
  readonly #diagnostics = new Map<string, Diagnostic[]>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #version = 0;

  private constructor(
    readonly connection: ProtocolConnection,
    readonly initialised: InitializeResult,
  ) {
    connection.onNotification(
      'textDocument/publishDiagnostics',
      (params: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#diagnostics.set(params.uri, params.diagnostics);
        for (const done of this.#waiting.get(params.uri) ?? []) done();
        this.#waiting.delete(params.uri);
      },
    );
  }

  /** An editor and a server in this process, over streams. */
  static start(host: Host = diskHost, client: object = {}): Promise<Editor> {
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    const server = createConnection(toServer, toClient);
    const stop = serve(server, host);
    server.listen();
    onTestFinished(() => {
      stop();
      server.dispose();
    });
    return Editor.over(createProtocolConnection(toClient, toServer), client);
  }

  static async over(connection: ProtocolConnection, client: object = {}): Promise<Editor> {
    connection.listen();
    onTestFinished(() => connection.dispose());
    const initialised = await connection.sendRequest<InitializeResult>('initialize', {
      processId: null,
      rootUri: null,
      capabilities: client,
    });
    await connection.sendNotification('initialized', {});
    return new Editor(connection, initialised);
  }

  /** Opens a document, or gives it another text. `▮` is the cursor; gives its position, or that of the end. */
  async write(uri: string, marked: string): Promise<Position> {
    const cursor = marked.indexOf('▮');
    const text = marked.replace('▮', '');
    const isOpen = this.#texts.has(uri);
    this.#texts.set(uri, text);
    const version = ++this.#version;
    if (isOpen) {
      await this.connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version },
        contentChanges: [{ text }],
      });
    } else {
      const textDocument = { uri, languageId: 'spike', version, text };
      await this.connection.sendNotification('textDocument/didOpen', { textDocument });
    }
    const lines = text.slice(0, cursor === -1 ? text.length : cursor).split('\n');
    return { line: lines.length - 1, character: lines.at(-1)!.length };
  }

  /** The next diagnostics of a document. */
  async diagnostics(uri: string): Promise<Diagnostic[]> {
    await new Promise<void>((resolve) => this.#waiting.set(uri, [...(this.#waiting.get(uri) ?? []), resolve]));
    return this.#diagnostics.get(uri)!;
  }

  ask<T>(method: string, uri: string, more: object = {}, prefix = 'textDocument/'): Promise<T> {
    return this.connection.sendRequest(`${prefix}${method}`, { textDocument: { uri }, ...more });
  }

  /** A document's text after edits. */
  edited(uri: string, edits: readonly TextEdit[]): string {
    const text = this.#texts.get(uri)!;
    const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    const offset = ({ line, character }: Position): number => starts[line]! + character;
    return [...edits]
      .sort((a, b) => offset(b.range.start) - offset(a.range.start))
      .reduce(
        (now, { range, newText }) => now.slice(0, offset(range.start)) + newText + now.slice(offset(range.end)),
        text,
      );
  }
}
