// Writes the generated pages of docs/ from the build: `npm run docs`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diagnosticsDocument } from '../dist/src/cli/explain.js';

const docs = fileURLToPath(new URL('../docs/', import.meta.url));
writeFileSync(join(docs, 'diagnostics.md'), diagnosticsDocument());
