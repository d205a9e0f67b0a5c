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

/**
 * `input` (in this folder) with all that it imports as one script. Only `external` and, on Node, its own modules stay outside. Of
 * what needs Node's modules nothing may be left in a script for a browser.
 */
export async function bundled(input, { platform = 'browser', format, external = [], define = {} }) {
  const bundle = await rolldown({
    input: join(editors, input),
    platform,
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { define: { spikecLibrary: JSON.stringify(library), ...define } },
    external,
    plugins: [
      {
        name: 'node-modules',
        resolveId: (id) => (id.startsWith('node:') ? { id, external: true, moduleSideEffects: false } : undefined),
      },
    ],
    treeshake: { moduleSideEffects: (id) => !id.startsWith(`${root}/src/`) },
    onLog: (_, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format, codeSplitting: false, minify: true });
  await bundle.close();
  const left = output[0].imports.filter((id) => id.startsWith('node:'));
  if (platform === 'browser' && left.length > 0) throw new Error(`${input} imports ${left.join(', ')}`);
  return output[0].code;
}
