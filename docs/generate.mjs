// Writes the generated pages of docs/ from the build: `npm run docs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { backendsPage } from '../dist/docs/backends-table.js';
import { networkReference, passReference } from '../dist/docs/reference.js';
import { withCodingsTable } from '../dist/docs/codings-table.js';
import { withTables } from '../dist/docs/language-tables.js';
import { diagnosticsDocument } from '../dist/src/cli/explain.js';
import { manualPage } from '../dist/src/cli/man.js';
import { programForDocs } from '../dist/src/cli/program.js';
import { tensorReference } from '../dist/src/tensor/index.js';

const docs = fileURLToPath(new URL('.', import.meta.url));
writeFileSync(join(docs, 'diagnostics.md'), diagnosticsDocument());
writeFileSync(join(docs, 'backends.md'), backendsPage());
writeFileSync(join(docs, 'network-ir.md'), networkReference());
writeFileSync(join(docs, 'passes.md'), passReference());
writeFileSync(join(docs, 'tensor-ir.md'), tensorReference());
writeFileSync(join(docs, 'spikec.1'), manualPage(await programForDocs()));
const language = join(docs, 'language.md');
const neurons = join(docs, 'neurons.md');
writeFileSync(neurons, withCodingsTable(readFileSync(neurons, 'utf8')));
writeFileSync(language, withTables(readFileSync(language, 'utf8')));
