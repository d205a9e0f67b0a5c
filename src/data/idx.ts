import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, openSource } from './bytes.js';
import { type Dataset, batchCount } from './dataset.js';

const types: Readonly<Record<number, string>> = {
  0x08: 'unsigned byte',
  0x09: 'signed byte',
  0x0b: 'short',
  0x0c: 'int',
  0x0d: 'float',
  0x0e: 'double',
};

interface IdxArray {
  readonly source: ByteSource;
  readonly shape: readonly number[];
  /** Where the elements start. */
  readonly offset: number;
}

/** Opens an IDX file of unsigned bytes and checks its header against its size. */
function openIdxArray(path: string, ranks: readonly number[], limit?: number): IdxArray {
  const source = openSource(path, limit);
  try {
    return readHeader(source, ranks);
  } catch (error) {
    source.close();
    throw error;
  }
}

function readHeader(source: ByteSource, ranks: readonly number[]): IdxArray {
  const file = source.path;
  const magic = source.read(0, 4);
  if (magic.length < 4) fail('data/truncated', { file, expected: 4, found: magic.length });
  const [zero0, zero1, type, rank] = magic as unknown as [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0) fail('data/bad-idx', { file, reason: 'it does not start with two zero bytes' });
  if (type !== 0x08) {
    fail('data/unsupported-type', { file, type: types[type] ?? `0x${type.toString(16)}`, supported: 'unsigned bytes' });
  }
  if (!ranks.includes(rank)) {
    fail('data/bad-idx', { file, reason: `it has ${rank} dimensions, and ${ranks.join(' or ')} are expected` });
  }
  const sizes = source.read(4, 4 * rank);
  const offset = 4 + 4 * rank;
  if (sizes.length < 4 * rank) fail('data/truncated', { file, expected: offset, found: source.size });
  const view = new DataView(sizes.buffer, sizes.byteOffset);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 * i));
  const expected = offset + shape.reduce((product, n) => product * n, 1);
  if (source.size < expected) fail('data/truncated', { file, expected, found: source.size });
  if (source.size > expected) {
    fail('data/bad-idx', { file, reason: `${source.size - expected} bytes follow the end of its data` });
  }
  return { source, shape, offset };
}

export interface IdxOptions {
  /** Known number of classes; otherwise one more than the largest label. */
  readonly classes?: number;
  /** Largest unpacked size of gzip files in bytes. */
  readonly limit?: number;
}

/** Images and labels in two IDX files. Labels are held in memory, images are read from the disk (gzip: unpacked once). */
export function openIdx(name: string, imagesPath: string, labelsPath: string, options: IdxOptions = {}): Dataset {
  const labelFile = openIdxArray(labelsPath, [1], options.limit);
  const labels = labelFile.source.read(labelFile.offset, labelFile.shape[0] ?? 0);
  labelFile.source.close();
  const { source, shape: full, offset } = openIdxArray(imagesPath, [3, 4], options.limit);
  try {
    const [length = 0, ...rest] = full;
    const shape = rest.length === 2 ? [1, ...rest] : rest;
    const imageSize = shape.reduce((product, n) => product * n, 1);
    if (length !== labels.length) fail('data/count-mismatch', { name, images: length, labels: labels.length });
    if (length === 0 || imageSize === 0) fail('data/empty', { name });
    const classes = options.classes ?? labels.reduce((most, label) => Math.max(most, label), 0) + 1;
    const index = labels.findIndex((label) => label >= classes);
    if (index !== -1) fail('data/label-out-of-range', { name, label: labels[index] ?? 0, index, classes });
    return {
      name,
      shape,
      classes,
      classesKnown: options.classes !== undefined,
      length,
      scale: 255,
      notes: [],
      read(start, wanted) {
        const count = batchCount({ length }, start, wanted);
        const images = source.read(offset + start * imageSize, count * imageSize);
        return { count, images, labels: Int32Array.from(labels.subarray(start, start + count)) };
      },
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}
