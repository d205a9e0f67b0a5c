// What the playground and the extension are packed with.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { libraryFiles } from '../dist/src/model/library-files.js';

export const editors = dirname(fileURLToPath(import.meta.url));
export const root = resolve(editors, '..');
export const read = (path) => readFileSync(join(root, path));
export const text = (path) => read(path).toString();

/** The texts of the standard library by the names that `use` has for them. */
export const library = Object.fromEntries(libraryFiles.map((name) => [`spikec/${name}`, text(`models/${name}.spike`)]));

/** `input` (in this folder) with all that it imports as one script. Only `external` and, on Node, its own modules stay outside. */
export async function bundled(input, { platform = 'browser', format, external = [], define = {} }) {
  const bundle = await rolldown({
    input: join(editors, input),
    platform,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { define: { spikecLibrary: JSON.stringify(library), ...define } },
    external: (id) => {
      if (!id.startsWith('node:')) return external.includes(id);
      if (platform === 'browser') throw new Error(`${input} imports ${id}`);
      return true;
    },
    onLog: (_, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format, codeSplitting: false, minify: true });
  await bundle.close();
  return output[0].code;
}
