import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { invariant } from '../base/invariant.js';
import { isFile, readText } from '../data/files.js';

/** The folder of the package: the first above this file that has a manifest, in the source and in the build. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isFile(join(folder, 'package.json'))) {
    invariant(dirname(folder) !== folder, 'driver: no package folder');
    folder = dirname(folder);
  }
  return folder;
}

/** The package's version. */
export function packageVersion(): string {
  const manifest = JSON.parse(readText(join(packageFolder(), 'package.json'))) as { version: string };
  return manifest.version;
}
