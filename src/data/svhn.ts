import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { type Dataset, batchCount } from './dataset.js';
import { FileReader } from './files.js';
import { readMat } from './mat.js';
import { readNpy, readNpyBytes } from './npy.js';

const side = 32;
const imageSize = 3 * side * side;
const classes = 10;

/** Street View House Numbers as cropped digits: `X` [32, 32, 3, count] and `y`, where 10 stands for the digit 0, in `test_32x32.mat`. */
export function openSvhn(name: string, split: string, folder: string): Dataset | undefined {
  const path = join(folder, `${split}_32x32.mat`);
  return existsSync(path) ? openMat(name, path) : undefined;
}

function openMat(name: string, path: string): Dataset {
  const file = new FileReader(path);
  try {
    const arrays = readMat(file, ['X', 'y']);
    const [images, digits] = ['X', 'y'].map((key) => arrays.get(key));
    if (images === undefined || digits === undefined) {
      const missing = images === undefined ? 'X' : 'y';
      return fail('data/bad-mat', { file: path, reason: `it has no array "${missing}"` });
    }
    const [length = 0, ...axes] = images.shape;
    if (images.type !== 'u1' || axes.join() !== [3, side, side].join()) {
      const shape = [...images.shape].reverse().join(', ');
      fail('data/bad-mat', { file: path, reason: `"X" has the shape [${shape}] and the type ${images.type}, not [32, 32, 3, count] and u1` });
    }
    const count = digits.shape.reduce((product, n) => product * n, 1);
    if (count !== length) fail('data/count-mismatch', { name, images: length, labels: count });
    if (length === 0) fail('data/empty', { name });
    const labels = Int32Array.from(readNpy(digits, 0, length, Float64Array), (digit) => (digit === classes ? 0 : digit));
    const index = labels.findIndex((label) => label < 0 || label >= classes);
    if (index !== -1) fail('data/label-out-of-range', { name, label: labels[index]!, index, classes });
    return {
      name,
      shape: [3, side, side],
      layout: 'nchw',
      type: 'u1',
      classes,
      classesKnown: true,
      length,
      scale: 255,
      notes: [],
      read(start, wanted) {
        const taken = batchCount({ length }, start, wanted);
        const columns = readNpyBytes(images, start * imageSize, taken * imageSize);
        return { count: taken, images: rowsOf(columns), labels: labels.slice(start, start + taken) };
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Planes whose pixels lie column by column, row by row. */
function rowsOf(columns: Uint8Array): Uint8Array {
  const rows = new Uint8Array(columns.length);
  for (let plane = 0; plane < columns.length; plane += side * side) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) rows[plane + y * side + x] = columns[plane + x * side + y]!;
    }
  }
  return rows;
}
