import { join } from 'node:path';
import { type Outcome, fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { isFile, isFolder, namesIn, readBytes } from '../data/files.js';
import { failThere, writeNewFile } from '../data/index.js';
import { packageFolder } from '../workspace/version.js';
import { reporting } from './reporting.js';

/** An example that came with the package, as it was copied. */
export interface CopiedExample {
  readonly name: string;
  readonly files: readonly string[];
}

/** Folders that come with the package, by name: examples with what they need, and the models of the published systems. */
function examples(): ReadonlyMap<string, readonly string[]> {
  const root = packageFolder();
  const found = new Map<string, string[]>();
  for (const folder of ['models', 'examples']) {
    for (const name of namesIn(join(root, folder))) {
      const path = join(root, folder, name);
      if (isFolder(path)) found.set(name, [...(found.get(name) ?? []), path]);
    }
  }
  return found;
}

/** Names that {@link copyExample} takes. */
export function exampleNames(): readonly string[] {
  return [...examples().keys()].sort();
}

/** Copies an example's files into a folder. Nothing that is there is replaced: then nothing is copied. */
export function copyExample(name: string, folder: string): Outcome<CopiedExample> {
  return reporting(() => {
    const folders = examples().get(name);
    if (folders === undefined) {
      const names = exampleNames();
      const help = suggest(name, names) ?? `there are: ${names.join(', ')}`;
      return fail('cli/usage', { problem: `there is no example "${name}"` }, undefined, { help });
    }
    const files = folders
      .flatMap((from) => namesIn(from).map((file) => ({ file, path: join(from, file) })))
      .filter(({ path }) => isFile(path));
    const there = files.find(({ file }) => isFile(join(folder, file)));
    if (there !== undefined) failThere(join(folder, there.file));
    for (const { file, path } of files) writeNewFile(join(folder, file), readBytes(path));
    return { value: { name, files: files.map(({ file }) => join(folder, file)) }, diagnostics: [] };
  });
}
