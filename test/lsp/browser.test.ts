import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { browserBundle } from '../support/browser-bundle.js';

/** What a worker's scope gives its script to talk to the page. */
interface Port {
  postMessage(message: unknown): void;
  onmessage?: (event: { data: unknown }) => void;
  addEventListener(): void;
}

it('the server is bundled for a worker without Node, and answers a page there', async () => {
  const { code, outside } = await browserBundle('src/lsp/browser.ts', 'server');
  expect(outside).toEqual([]);

  const messages: {
    readonly id?: number;
    readonly method?: string;
    readonly params?: unknown;
    readonly result?: unknown;
  }[] = [];
  let woken = (): void => undefined;
  const port: Port = {
    // errors of the port: there are none
    addEventListener: () => undefined,
    postMessage: (message) => {
      messages.push(structuredClone(message) as (typeof messages)[number]);
      woken();
    },
  };
  const context = createContext({ TextEncoder, TextDecoder, setTimeout, clearTimeout, setImmediate, console, port });
  runInContext(
    `globalThis.self = globalThis; globalThis.window = undefined;\n${code}\nglobalThis.server = server;`,
    context,
  );
  const library = { 'spikec/neurons': readFileSync('models/neurons.spike', 'utf8') };
  (context['server'] as { serveWorker(port: Port, library: object): void }).serveWorker(port, library);
  const send = (message: object): void => {
    port.onmessage!({ data: { jsonrpc: '2.0', ...message } });
  };
  const until = async (found: (one: (typeof messages)[number]) => boolean): Promise<(typeof messages)[number]> => {
    for (;;) {
      const there = messages.find(found);
      if (there !== undefined) return there;
      await new Promise<void>((resolve) => (woken = resolve));
    }
  };
  send({ id: 1, method: 'initialize', params: { processId: null, rootUri: null, capabilities: {} } });
  await until(({ id }) => id === 1);
  send({ method: 'initialized', params: {} });
  const text = 'use "spikec/neurons" { LFI }\n';
  const uri = 'file:///model.spike';
  const textDocument = { uri, languageId: 'spike', version: 1, text };
  send({ method: 'textDocument/didOpen', params: { textDocument } });
  const said = await until(({ method }) => method === 'textDocument/publishDiagnostics');
  expect(said.params).toMatchObject({ uri, diagnostics: [{ code: 'model/not-exported' }] });
  expect(JSON.stringify(said.params)).toContain('did you mean');
});
