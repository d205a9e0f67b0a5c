import { BrowserMessageReader, BrowserMessageWriter, createConnection } from 'vscode-languageserver/browser';
import { type ModelLoader, memoryLoader } from '../model/index.js';
import type { Host } from './host.js';
import { serve } from './server.js';

/** The part of a worker's scope that messages need. */
type Port = ConstructorParameters<typeof BrowserMessageReader>[0];

/** Serves a page from a worker. `library` has the texts of the standard library by name (`spikec/neurons`). */
export function serveWorker(port: Port, library: Readonly<Record<string, string>>): void {
  const connection = createConnection(new BrowserMessageReader(port), new BrowserMessageWriter(port));
  serve(connection, pageHost(library));
  connection.listen();
}

/** Documents are what the page has open; there are no other files. */
function pageHost(library: Readonly<Record<string, string>>): Host {
  const loader: ModelLoader = memoryLoader(library);
  return {
    nameOf: (uri) => (/^[a-z][a-z0-9+.-]*:\/*/.test(uri) ? uri.replace(/^[a-z][a-z0-9+.-]*:\/*/, '') : undefined),
    uriOf: (name) => (Object.hasOwn(library, name) ? undefined : `file:///${name}`),
    loader: () => loader,
    exists: () => true,
  };
}
