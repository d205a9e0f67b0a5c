import { fail } from '../../base/diagnostics/index.js';
import { unpackLimit } from '../bytes.js';
import { type Dataset, batchCount } from '../dataset.js';
import { FileReader } from '../files.js';
import { readImages } from '../npy.js';
import { findArray } from '../npz.js';
import { listZip } from '../zip.js';
import { type ClassFolders, byTurns } from '../class-folders.js';

const key = 'frames';

/** Whether an NPZ file holds the frames of one sample, as SpikingJelly writes them. */
export function holdsFrames(path: string): boolean {
  const file = new FileReader(path);
  try {
    return listZip(file).some(({ name }) => name === `${key}.npy`);
  } finally {
    file.close();
  }
}

/** Frames [T, C, H, W] in a file a sample, in folders, one a class; all of one shape, that of the first. */
export function openFrameFiles(name: string, found: ClassFolders): Dataset {
  const { classes } = found;
  const files = byTurns(found.files);
  const length = files.length;
  const { shape, type } = framesAt(files[0]!.path, () => undefined);
  const size = shape.reduce((all, n) => all * n, 1);
  if (shape.length < 2 || shape.length > 4 || size === 0)
    fail('data/bad-npz', { file: files[0]!.path, reason: `"${key}" has the shape [${shape.join(', ')}], not [T, C, H, W]` });
  const labels = Int32Array.from(files, ({ label }) => label);
  return {
    name,
    shape,
    classes: classes.length,
    classesKnown: false,
    length,
    type,
    scale: 1,
    frameScale: 1,
    notes: [],
    labels: (start, count) => labels.slice(start, start + batchCount({ length }, start, count)),
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      const images = new Float32Array(count * size);
      for (let i = 0; i < count; i++) {
        const { path } = files[start + i]!;
        framesAt(path, (found, read) => {
          if (found.join() !== shape.join()) fail('data/ragged', { file: path, found, first: files[0]!.path, expected: shape });
          images.set(read(), i * size);
        });
      }
      return { count, images, labels: labels.slice(start, start + count) };
    },
    close: () => undefined,
  };
}

function framesAt(
  path: string,
  use: (shape: readonly number[], read: () => Uint8Array | Float32Array) => void,
): { readonly shape: readonly number[]; readonly type: string } {
  const file = new FileReader(path);
  try {
    const { header, open } = findArray(file, listZip(file), [key], unpackLimit);
    const size = header.shape.reduce((all, n) => all * n, 1);
    use(header.shape, () => readImages(open(), { start: 0, count: 1, size }));
    return header;
  } finally {
    file.close();
  }
}
