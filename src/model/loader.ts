/**
 * How the checker reads other model files; it touches no disk itself. Paths use `/` and are built
 * from the names of the sources they are used in. An implementation that follows links must itself
 * make sure that they stay inside the folder.
 */
export interface ModelLoader {
  /** The text of the model file at `path`, or nothing where there is none. */
  read(path: string): string | undefined;
  /** The text of the standard library's `spikec/NAME`, or nothing where there is none. */
  library(name: string): string | undefined;
  /** Whether a file that is inside of the main file's folder by its path is a link to one that isn't. */
  leaves?(path: string): boolean;
}

/** A loader over texts in memory, by path; library files are under `spikec/NAME`. */
export function memoryLoader(files: Readonly<Record<string, string>>): ModelLoader {
  const get = (path: string): string | undefined => (Object.hasOwn(files, path) ? files[path] : undefined);
  return { read: get, library: (name) => get(`spikec/${name}`) };
}
