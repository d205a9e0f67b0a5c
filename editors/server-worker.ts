import { serveWorker } from '../src/lsp/browser.js';

/** The texts of the standard library, which `bundle.mjs` puts in. */
declare const spikecLibrary: Readonly<Record<string, string>>;

serveWorker(globalThis as unknown as Parameters<typeof serveWorker>[0], spikecLibrary);
