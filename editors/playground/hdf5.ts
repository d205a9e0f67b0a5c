import * as h5wasm from 'h5wasm';
import type { Hdf5InMemory } from './downloads.js';

/** A script that the compiler's worker loads when somebody wants a NIR file: 4 MB, which nobody else needs. */
const scope = globalThis as unknown as { spikecHdf5: Promise<Hdf5InMemory> };

scope.spikecHdf5 = h5wasm.ready.then((library) => {
  library.activate_throwing_error_handler();
  const { FS } = library;
  return {
    File: h5wasm.File as unknown as Hdf5InMemory['File'],
    take(path) {
      const bytes = Uint8Array.from(FS.readFile(path));
      FS.unlink(path);
      return bytes;
    },
  };
});
