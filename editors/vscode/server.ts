import { serveStdio } from '../../src/lsp/stdio.js';

await serveStdio();
