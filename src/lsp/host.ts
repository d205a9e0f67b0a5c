import type { ModelLoader } from '../model/index.js';

/** Where a language server's documents live: on a disk, or in a page. It never writes. */
export interface Host {
  /** What a document is called in diagnostics and by loaders; nothing for what isn't a model file that can be read. */
  nameOf(uri: string): string | undefined;
  /** The document of a source's name: of a file, or of the standard library's `spikec/NAME`, where it can be opened. */
  uriOf(name: string): string | undefined;
  /** Reads what a document uses. */
  loader(name: string): ModelLoader;
  /** Whether there is a file, such as the ONNX file of a config, at a path built from a document's name. */
  exists(path: string): boolean;
}
