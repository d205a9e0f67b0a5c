import type { Dataset, Layout } from './dataset.js';
import { Hdf5File } from './events/index.js';
import { type StoredArray, arraysOfFile } from './labelled-arrays.js';

interface Options {
  /** False where only the images matter: a file without labels has 0 for each. */
  readonly labelled: boolean;
  readonly layout: Layout | undefined;
}

/** `hdf5:FILE`: arrays `images` (or `x`) and `labels` (or `y`) of an HDF5 file, read as they are needed. */
export function openHdf5(name: string, path: string, { labelled, layout }: Options): Dataset {
  const file = new Hdf5File(path);
  try {
    const bad = (reason: string): never => file.bad(reason);
    const set = arraysOfFile({
      name,
      path,
      names: file.names(),
      array: (key) => stored(file, key),
      lacks: (keys) => bad(`it has no array "${keys.join('" or "')}"`),
      labelled,
      layout,
      bad,
      close: () => file.close(),
    });
    // of a packed array whole pieces are unpacked for a sample
    const { ofInputs } = set;
    return {
      ...set,
      decoded: true,
      ...(ofInputs && { ofInputs: (names) => ofInputs(names)?.map((one) => ({ ...one, decoded: true })) }),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

function stored(file: Hdf5File, name: string): StoredArray {
  const { shape, type, rows } = file.array(name);
  return {
    shape,
    type,
    samples: ({ start, count, size }) => {
      const found = rows(start, count);
      if (found.length !== count * size) file.bad(`"${name}" ends within row ${start + Math.floor(found.length / size)}`);
      if (type === 'u1') return Uint8Array.from(found as ArrayLike<number>);
      const values = Float32Array.from(found, Number);
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at !== -1) file.bad(`image ${start + Math.floor(at / size)} has a value that is not finite`);
      return values;
    },
    numbers: () => Float64Array.from(rows(0, shape[0] ?? 0), Number),
  };
}
