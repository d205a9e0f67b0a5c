import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, unpackLimit } from './bytes.js';
import { type Dataset, type Layout, batchCount } from './dataset.js';
import { FileReader } from './files.js';
import { withChannelsFirst } from './layout.js';
import { type NpyArray, type NpyHeader, mostClasses, npyHeaderLimit, readImages, readNpy, readNpyHeader } from './npy.js';
import { type ZipMember, listZip, memberHead, openMember } from './zip.js';

const imageKeys = ['images', 'x'];
const labelKeys = ['labels', 'y'];
/** Numbers in labels at most. */
const labelLimit = 2 ** 26;

interface NpzOptions {
  /** Bytes that are unpacked at most. */
  readonly limit?: number;
  /** False where only the images matter: an archive without labels has 0 for each. */
  readonly labelled?: boolean;
  /** In which order channels lie; without it the file's axes are what the network's input says. */
  readonly layout?: Layout | undefined;
}

/**
 * Samples and labels in a NumPy archive. Uncompressed arrays are read from the disk, compressed ones unpacked once, when
 * the headers of all are known to be right.
 */
export function openNpz(name: string, path: string, options: NpzOptions = {}): Dataset {
  const { limit = unpackLimit, labelled = true, layout } = options;
  const file = new FileReader(path);
  try {
    const members = listZip(file);
    const images = findArray(file, members, imageKeys, limit);
    const has = members.some((m) => labelKeys.some((key) => m.name === `${key}.npy`));
    const found = !labelled && !has ? undefined : findArray(file, members, labelKeys, limit);
    const length = images.header.shape[0] ?? 0;
    const labels = found === undefined ? { classes: new Int32Array(length), absent: true } : readLabels(found, path, name, length);
    return dataset({ name, file, images, labels, layout });
  } catch (error) {
    file.close();
    throw error;
  }
}

/** An array by its header; its elements are unpacked when they are asked for. */
interface Found {
  readonly header: NpyHeader;
  readonly open: () => NpyArray;
}

/** An array of an archive by the first of its names that is there. */
export function findArray(file: ByteSource, members: readonly ZipMember[], keys: readonly string[], limit: number): Found {
  for (const key of keys) {
    const member = members.find((m) => m.name === `${key}.npy`);
    if (member === undefined) continue;
    const header = readNpyHeader(memberHead(file, member, npyHeaderLimit), member.size, key);
    if (member.size > limit && member.method !== 0) fail('data/unpacked-too-large', { file: file.path, limit });
    let array: NpyArray | undefined;
    return { header, open: () => (array ??= { ...header, source: openMember(file, member, limit) }) };
  }
  const found = members.map((m) => m.name.replace(/\.npy$/, '')).slice(0, 12);
  const reason = `it has no array "${keys.join('" or "')}"; it has ${found.length === 0 ? 'none' : found.join(', ')}`;
  return fail('data/bad-npz', { file: file.path, reason });
}

interface Labels {
  readonly classes: Int32Array;
  readonly absent?: boolean;
  /** Numbers to be predicted, [count, width], in place of classes. */
  readonly numbers?: { readonly width: number; readonly values: Float32Array };
}

/** Classes [count] or [count, 1] as integers; numbers [count] or [count, outputs] as floats. */
function readLabels({ header, open }: Found, file: string, name: string, length: number): Labels {
  const { type, shape } = header;
  const [rows = 0, width = 1] = shape;
  const real = type.startsWith('f');
  if (shape.length !== 1 && !(shape.length === 2 && (real || width === 1))) {
    const reason = `labels have the shape [${shape.join(', ')}], not [count]${real ? ' or [count, outputs]' : ''}`;
    const help = real ? undefined : 'classes are one integer a sample: numpy.argmax(labels, 1) of one-hot rows';
    fail('data/bad-npz', { file, reason }, undefined, { help });
  }
  if (rows !== length) fail('data/count-mismatch', { name, images: length, labels: rows });
  if (rows * width > labelLimit) fail('data/unpacked-too-large', { file, limit: labelLimit });
  const values = readNpy(open(), 0, rows * width, Float64Array);
  if (real) {
    const at = values.findIndex((v) => !Number.isFinite(v));
    if (at !== -1) fail('data/bad-npz', { file, reason: `label ${Math.floor(at / width)} is not finite` });
    return { classes: new Int32Array(rows), numbers: { width, values: Float32Array.from(values) } };
  }
  const index = values.findIndex((v) => v < 0 || v >= mostClasses);
  if (index !== -1)
    fail('data/label-out-of-range', { name: file, label: values[index] ?? 0, index, classes: mostClasses });
  return { classes: Int32Array.from(values) };
}

interface Parts {
  readonly name: string;
  readonly file: FileReader;
  readonly images: Found;
  readonly labels: Labels;
  readonly layout: Layout | undefined;
}

function dataset({ name, file, images, labels: { classes: labels, numbers, absent = false }, layout }: Parts): Dataset {
  const { header } = images;
  const [length = 0, ...axes] = header.shape;
  // rows and columns are an image of one channel
  const shape = axes.length === 2 ? [1, ...axes] : axes;
  if (axes.length < 1 || axes.length > 4) {
    const reason = `samples have the shape [${header.shape.join(', ')}]; 2 to 5 dimensions are expected`;
    fail('data/bad-npz', { file: file.path, reason });
  }
  const size = shape.reduce((product, n) => product * n, 1);
  if (length === 0 || size === 0) fail('data/empty', { name });
  const bytes = header.type === 'u1';
  const raw: Dataset = {
    name,
    shape,
    ...(layout === undefined ? {} : { layout }),
    classes: numbers === undefined ? labels.reduce((most, label) => Math.max(most, label), 0) + 1 : 0,
    classesKnown: false,
    length,
    type: header.type,
    scale: bytes && axes.length < 4 ? 255 : 1,
    frameScale: 1,
    ...(numbers === undefined ? {} : { targets: numbers.width }),
    labelled: !absent,
    notes: wideNotes(name, header.type),
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      return {
        count,
        images: readImages(images.open(), { start, count, size }),
        labels: labels.slice(start, start + count),
        ...(numbers === undefined
          ? {}
          : { targets: numbers.values.slice(start * numbers.width, (start + count) * numbers.width) }),
      };
    },
    close: () => file.close(),
  };
  return layout === 'nhwc' && axes.length > 2 ? withChannelsFirst(raw) : raw;
}

function wideNotes(name: string, type: string): readonly string[] {
  if (type !== 'u2') return [];
  return [`${name}: 16-bit pixels are taken as they are, from 0 to 65535; --std 65535 scales them to 0…1`];
}
