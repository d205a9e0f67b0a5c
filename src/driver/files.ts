import { fileURLToPath } from 'node:url';
import { fail } from '../base/diagnostics/index.js';
import type { Source } from '../base/source.js';
import { isFile, readText, realPath } from '../data/index.js';
import type { ModelLoader } from '../model/loader.js';

/** A model file as a source; its name is the path as the user wrote it. */
export function readSource(path: string): Source {
  return { name: path, text: readText(path) };
}

/** The folder of the standard library: two folders up from the source, three from the build. */
function libraryFolder(): URL | undefined {
  return ['../../models/', '../../../models/']
    .map((path) => new URL(path, import.meta.url))
    .find((folder) => isFile(new URL('neurons.spike', folder)));
}

/**
 * Reads model files from the disk. Links may lead out of the folder of `main` only with `allowOutside`:
 * the checker judges paths by their text alone.
 */
export function fileLoader(main: string, allowOutside: boolean): ModelLoader {
  const folder = realPath(main)?.replace(/[^/\\]*$/, '');
  return {
    read(path) {
      const real = realPath(path);
      if (real === undefined) return undefined;
      if (!allowOutside && folder !== undefined && !real.startsWith(folder)) {
        return fail('model/outside-folder', { path, folder });
      }
      return readText(path);
    },
    library(name) {
      const library = libraryFolder();
      if (library === undefined || !/^[\w-]+$/.test(name)) return undefined;
      const file = new URL(`${name}.spike`, library);
      return isFile(file) ? readText(fileURLToPath(file)) : undefined;
    },
  };
}
