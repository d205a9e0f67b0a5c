import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, unpackLimit } from './bytes.js';
import { type Dataset, batchCount } from './dataset.js';
import { FileReader } from './files.js';
import { type NpyArray, readNpy, readNpyBytes, readNpyHeader } from './npy.js';
import { type ZipMember, listZip, openMember } from './zip.js';

const imageKeys = ['images', 'x'];
const labelKeys = ['labels', 'y'];

interface NpzOptions {
  /** Bytes that are unpacked at most. */
  readonly limit?: number;
  /** False where only the images matter: an archive without labels has 0 for each. */
  readonly labelled?: boolean;
}

/** Images and labels in a NumPy archive. Uncompressed arrays are read from the disk, compressed ones unpacked once. */
export function openNpz(name: string, path: string, { limit = unpackLimit, labelled = true }: NpzOptions = {}): Dataset {
  const file = new FileReader(path);
  try {
    const members = listZip(file);
    const has = members.some((m) => labelKeys.some((key) => m.name === `${key}.npy`));
    const images = (): NpyArray => openArray(file, members, imageKeys, limit);
    if (!labelled && !has) {
      const array = images();
      return imagesDataset(name, file, array, new Int32Array(array.shape[0] ?? 0));
    }
    const labels = readLabels(openArray(file, members, labelKeys, limit), path);
    return imagesDataset(name, file, images(), labels);
  } catch (error) {
    file.close();
    throw error;
  }
}

function openArray(file: ByteSource, members: readonly ZipMember[], keys: readonly string[], limit: number): NpyArray {
  for (const key of keys) {
    const member = members.find((m) => m.name === `${key}.npy`);
    if (member !== undefined) return readNpyHeader(openMember(file, member, limit), key);
  }
  const found = members.map((m) => m.name.replace(/\.npy$/, '')).slice(0, 12);
  const reason = `it has no array "${keys.join('" or "')}"; it has ${found.length === 0 ? 'none' : found.join(', ')}`;
  return fail('data/bad-npz', { file: file.path, reason });
}

function readLabels(array: NpyArray, file: string): Int32Array {
  if (!/^[iu]/.test(array.type)) {
    fail('data/unsupported-type', { file, type: array.type, supported: 'integers as labels' });
  }
  if (array.shape.length !== 1) {
    fail('data/bad-npz', { file, reason: `labels have the shape [${array.shape.join(', ')}], not [count]` });
  }
  const values = readNpy(array, 0, array.shape[0] ?? 0, Float64Array);
  const classes = 2 ** 20;
  const index = values.findIndex((v) => v < 0 || v >= classes);
  if (index !== -1) fail('data/label-out-of-range', { name: file, label: values[index] ?? 0, index, classes });
  return Int32Array.from(values);
}

interface Layout {
  /** Shape of one image in the dataset. */
  readonly shape: readonly number[];
  /** Channels stand last in the file and are moved to the front. */
  readonly channelsLast: boolean;
  readonly events: boolean;
}

function layoutOf(array: NpyArray, file: string): Layout {
  const [, ...shape] = array.shape;
  const [first = 0, second = 0, third = 0] = shape;
  const few = (n: number): boolean => n === 1 || n === 3 || n === 4;
  if (shape.length === 2) return { shape: [1, first, second], channelsLast: false, events: false };
  if (shape.length === 4) return { shape, channelsLast: false, events: true };
  if (shape.length === 3) {
    const channelsLast = few(third) && !few(first);
    return { shape: channelsLast ? [third, first, second] : shape, channelsLast, events: false };
  }
  const reason = `images have the shape [${array.shape.join(', ')}]; 3, 4 or 5 dimensions are expected`;
  return fail('data/bad-npz', { file, reason });
}

function imagesDataset(name: string, file: FileReader, array: NpyArray, labels: Int32Array): Dataset {
  const { shape, channelsLast, events } = layoutOf(array, file.path);
  const length = array.shape[0] ?? 0;
  const imageSize = shape.reduce((product, n) => product * n, 1);
  if (length !== labels.length) fail('data/count-mismatch', { name, images: length, labels: labels.length });
  if (length === 0 || imageSize === 0) fail('data/empty', { name });
  const bytes = array.type === 'u1';
  return {
    name,
    shape,
    classes: labels.reduce((most, label) => Math.max(most, label), 0) + 1,
    classesKnown: false,
    length,
    scale: bytes && !events ? 255 : 1,
    notes: [],
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      const raw = bytes
        ? readNpyBytes(array, start * imageSize, count * imageSize)
        : readNpy(array, start * imageSize, count * imageSize, Float32Array);
      const at = bytes ? -1 : raw.findIndex((v) => !Number.isFinite(v));
      if (at !== -1) {
        const reason = `image ${start + Math.floor(at / imageSize)} has a value that is not finite`;
        fail('data/bad-npz', { file: file.path, reason });
      }
      const images = channelsLast ? channelsToFront(raw, count, shape) : raw;
      return { count, images, labels: labels.slice(start, start + count) };
    },
    close: () => file.close(),
  };
}

/** [n, H, W, C] → [n, C, H, W]. */
function channelsToFront<A extends Uint8Array | Float32Array>(raw: A, count: number, shape: readonly number[]): A {
  const [channels = 1, height = 1, width = 1] = shape;
  const plane = height * width;
  const result = raw.slice() as A;
  for (let n = 0; n < count; n++) {
    const base = n * channels * plane;
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < channels; c++) result[base + c * plane + p] = raw[base + p * channels + c] as number;
    }
  }
  return result;
}
