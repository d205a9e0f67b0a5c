import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, openSource } from './bytes.js';
import { type Dataset, type Layout, batchCount } from './dataset.js';
import { withChannelsFirst } from './layout.js';
import { type NpyArray, mostClasses, readImages, readNpy } from './npy.js';

interface ElementType {
  readonly name: string;
  /** The same as NumPy abbreviates it. */
  readonly npy: string;
}

const types: Readonly<Record<number, ElementType>> = {
  0x08: { name: 'unsigned byte', npy: 'u1' },
  0x09: { name: 'signed byte', npy: 'i1' },
  0x0b: { name: 'short', npy: 'i2' },
  0x0c: { name: 'int', npy: 'i4' },
  0x0d: { name: 'float', npy: 'f4' },
  0x0e: { name: 'double', npy: 'f8' },
};

interface Expected {
  readonly ranks: readonly number[];
  /** Labels are classes: whole numbers. */
  readonly whole?: boolean;
}

/** Opens an IDX file and checks its header against its size. */
function openIdxArray(path: string, expected: Expected, limit?: number): NpyArray {
  const source = openSource(path, limit);
  try {
    return readHeader(source, expected);
  } catch (error) {
    source.close();
    throw error;
  }
}

function readHeader(source: ByteSource, { ranks, whole = false }: Expected): NpyArray {
  const file = source.path;
  const magic = source.read(0, 4);
  if (magic.length < 4) fail('data/truncated', { file, expected: 4, found: magic.length });
  const [zero0, zero1, code, rank] = magic as unknown as [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0) fail('data/bad-idx', { file, reason: 'it does not start with two zero bytes' });
  const type = elementType(code, file, whole);
  if (!ranks.includes(rank)) {
    const some = ranks.length === 1 ? `${ranks[0]} is` : `${ranks[0]} to ${ranks.at(-1)} are`;
    fail('data/bad-idx', { file, reason: `it has ${rank} dimensions, and ${some} expected` });
  }
  const sizes = source.read(4, 4 * rank);
  const offset = 4 + 4 * rank;
  if (sizes.length < 4 * rank) fail('data/truncated', { file, expected: offset, found: source.size });
  const view = new DataView(sizes.buffer, sizes.byteOffset);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 * i));
  const expected = offset + Number(type.slice(1)) * shape.reduce((product, n) => product * n, 1);
  if (source.size < expected) fail('data/truncated', { file, expected, found: source.size });
  if (source.size > expected) {
    fail('data/bad-idx', { file, reason: `${source.size - expected} bytes follow the end of its data` });
  }
  return { source, shape, offset, type, bigEndian: true };
}

function elementType(code: number, file: string, whole: boolean): string {
  const known = Object.values(types).filter(({ npy }) => !whole || !npy.startsWith('f'));
  const type = types[code];
  if (type !== undefined && known.includes(type)) return type.npy;
  const supported = known.map(({ name }) => name).join(', ');
  return fail('data/unsupported-type', { file, type: type?.name ?? `0x${code.toString(16)}`, supported });
}

export interface IdxOptions {
  /** Known number of classes; otherwise one more than the largest label. */
  readonly classes?: number;
  /** In which order channels lie, where the images have some. */
  readonly layout?: Layout | undefined;
  /** Largest unpacked size of gzip files in bytes. */
  readonly limit?: number;
}

/** Images and labels in two IDX files. Labels are held in memory, images are read from the disk (gzip: unpacked once). */
export function openIdx(name: string, imagesPath: string, labelsPath: string, options: IdxOptions = {}): Dataset {
  const { limit, layout } = options;
  const labelFile = openIdxArray(labelsPath, { ranks: [1], whole: true }, limit);
  const labels = readNpy(labelFile, 0, labelFile.shape[0] ?? 0, Float64Array);
  labelFile.source.close();
  const array = openIdxArray(imagesPath, { ranks: [2, 3, 4, 5] }, limit);
  try {
    const [length = 0, ...axes] = array.shape;
    const shape = axes.length === 2 ? [1, ...axes] : axes;
    const size = shape.reduce((product, n) => product * n, 1);
    if (length !== labels.length) fail('data/count-mismatch', { name, images: length, labels: labels.length });
    if (length === 0 || size === 0) fail('data/empty', { name });
    const largest = labels.reduce((most, label) => Math.max(most, label), 0);
    const classes = options.classes ?? Math.min(largest + 1, mostClasses);
    const index = labels.findIndex((label) => label < 0 || label >= classes);
    if (index !== -1) fail('data/label-out-of-range', { name, label: labels[index] ?? 0, index, classes });
    const raw: Dataset = {
      name,
      shape,
      ...(layout === undefined ? {} : { layout }),
      classes,
      classesKnown: options.classes !== undefined,
      length,
      type: array.type,
      scale: array.type === 'u1' && axes.length < 4 ? 255 : 1,
      notes: [],
      read(start, wanted) {
        const count = batchCount({ length }, start, wanted);
        const found = Int32Array.from(labels.subarray(start, start + count));
        return { count, images: readImages(array, { start, count, size }), labels: found };
      },
      close: () => array.source.close(),
    };
    return layout === 'nhwc' && axes.length > 2 ? withChannelsFirst(raw) : raw;
  } catch (error) {
    array.source.close();
    throw error;
  }
}
