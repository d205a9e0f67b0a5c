import { dirname, join, resolve, sep } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import type { NeuronDef } from '../equations/index.js';
import { present } from '../base/invariant.js';
import { isFile, realPath } from '../data/files.js';
import { readBytes, readText } from '../data/index.js';
import { type ModelLoader, checkModel, memoryLoader } from '../model/index.js';
import { packageFolder } from './version.js';

/** The package's own folder `models/`: the standard library. */
export function libraryFolder(): string {
  return join(packageFolder(), 'models');
}

/** Reads model files from the disk. A link that leaves the folder of the main file is refused like a missing file. */
export function diskLoader(mainFile: string, allowOutside: boolean): ModelLoader {
  const root = realPath(dirname(resolve(mainFile)));
  return {
    read(path) {
      const real = realPath(path);
      if (real === undefined || root === undefined || !isFile(real)) return undefined;
      if (!allowOutside && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
      return readText(path);
    },
    library(name) {
      if (!/^[a-z][a-z0-9_-]*(\/[a-z][a-z0-9_-]*)*$/.test(name)) return undefined;
      const path = join(libraryFolder(), `${name}.spike`);
      return isFile(path) ? readText(path) : undefined;
    },
    leaves(path) {
      const real = realPath(path);
      return real !== undefined && root !== undefined && !real.startsWith(root.endsWith(sep) ? root : root + sep);
    },
  };
}

let checkedLibrary: { readonly text: string; readonly neurons: ReadonlyMap<string, NeuronDef> } | undefined;

/** Neurons of the standard library, by name; checked when first asked for. */
export function libraryNeurons(): ReadonlyMap<string, NeuronDef> {
  const path = join(libraryFolder(), 'neurons.spike');
  const text = readText(path);
  if (checkedLibrary?.text === text) return checkedLibrary.neurons;
  const checked = checkModel({ name: path, text }, memoryLoader({}));
  const { neurons } = present(
    checked.value,
    `driver: the standard library has errors: ${checked.diagnostics.map((d) => d.message).join('; ')}`,
  );
  checkedLibrary = { text, neurons };
  return neurons;
}

/** Reads an ONNX file’s external data: the location has been checked as text, links are checked here. */
export function externalReader(
  onnxFile: string,
  used: Map<string, Uint8Array>,
): (location: string) => Uint8Array | undefined {
  const folder = dirname(resolve(onnxFile));
  const root = realPath(folder);
  return (location) => {
    const known = used.get(location);
    if (known !== undefined) return known;
    const real = realPath(join(folder, location));
    if (real === undefined || root === undefined || !isFile(real)) return undefined;
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return fail(
        'onnx/external-path',
        { name: location, location, reason: 'a link leads out of the folder' },
        { file: onnxFile },
      );
    }
    const bytes = readBytes(real);
    used.set(location, bytes);
    return bytes;
  };
}
