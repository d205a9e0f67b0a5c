import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFolder } from './files.js';

/** The package's version. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(libraryFolder(), '..', 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
