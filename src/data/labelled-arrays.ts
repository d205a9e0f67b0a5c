import { fail } from '../base/diagnostics/index.js';
import { elementCount } from '../base/dtype.js';
import { type Dataset, type Labels, type Layout, type NamedLabels, batchCount } from './dataset.js';
import { withChannelsFirst } from './layout.js';
import { mostClasses } from './npy.js';

/** Names of arrays of samples, and of labels. */
const imageKeys = ['images', 'x'];
const labelKeys = ['labels', 'y'];
/** Numbers in labels at most. */
const labelLimit = 2 ** 26;

/** An array in a file, row-major. */
export interface StoredArray {
  readonly shape: readonly number[];
  /** As NumPy abbreviates it, without the byte order: `u1`, `f4` … */
  readonly type: string;
  /** Rows `start … start + count − 1`, of `size` numbers each; bytes as they are. */
  readonly samples: (part: { readonly start: number; readonly count: number; readonly size: number }) => Uint8Array | Float32Array;
  /** All of it. */
  readonly numbers: () => Float64Array;
}

/** A file of arrays: an NPZ archive, an HDF5 file. */
export interface ArrayFile {
  /** How the user named it. */
  readonly name: string;
  readonly path: string;
  /** Of its arrays. */
  readonly names: readonly string[];
  readonly array: (name: string) => StoredArray;
  /** Fails with what there is in place of one of some arrays. */
  readonly lacks: (names: readonly string[]) => never;
  /** False where only the samples matter: without labels there is 0 for each. */
  readonly labelled: boolean;
  readonly layout: Layout | undefined;
  readonly bad: (reason: string, help?: string) => never;
  readonly close: () => void;
}

/**
 * The arrays `images` (or `x`) and `labels` (or `y`) of a file as a data set; others may be labels of single outputs, or samples of
 * single inputs. Where none has a name of samples, the first stands for them until a network's inputs say which they are.
 */
export function arraysOfFile(file: ArrayFile): Dataset {
  const { names, array, lacks, labelled } = file;
  const first = (keys: readonly string[]): StoredArray | undefined => {
    const key = keys.find((one) => names.includes(one));
    return key === undefined ? undefined : array(key);
  };
  const other = names.filter((key) => !imageKeys.includes(key) && !labelKeys.includes(key));
  const unnamed = !imageKeys.some((key) => names.includes(key)) && other.length > 0;
  const missing = labelled ? (): never => lacks(labelKeys) : undefined;
  const others = { names: other, of: (key: string) => (other.includes(key) ? array(key) : undefined) };
  const images = first(unnamed ? other : imageKeys) ?? lacks(imageKeys);
  // labels by their names alone are those of a network's outputs
  const labels = first(labelKeys) ?? (other.length === 0 ? missing?.() : undefined);
  const ofInputs = (inputs: readonly string[]): readonly Dataset[] | undefined => {
    if (!inputs.every((input) => names.includes(input))) return undefined;
    // an input may be called as labels are
    const own = first(labelKeys.filter((key) => !inputs.includes(key)));
    return inputs.map((input, i) =>
      labelledArrays({ ...file, images: array(input), labels: i === 0 ? own : undefined, others, missing }),
    );
  };
  const set = labelledArrays({ ...file, images, labels, others, missing });
  return { ...set, ofInputs, arrays: names, ...(unnamed ? { unnamed } : {}) };
}

interface Parts {
  readonly name: string;
  /** The file. */
  readonly path: string;
  readonly images: StoredArray;
  readonly labels: StoredArray | undefined;
  /** Other arrays, which may be labels of single outputs. */
  readonly others: { readonly names: readonly string[]; readonly of: (name: string) => StoredArray | undefined };
  /** Fails with what is missing, where labels are wanted and aren't there. */
  readonly missing?: (() => never) | undefined;
  readonly layout: Layout | undefined;
  /** Says what is wrong with the file. */
  readonly bad: (reason: string, help?: string) => never;
  readonly close: () => void;
}

/** Classes [count] or [count, 1] as integers; numbers [count] or [count, …outputs] as floats: masks have the shape of images. */
function readLabels(
  { shape, type, numbers: read }: StoredArray,
  { path, name, images, bad }: Parts,
  what = 'labels',
): Labels {
  const [length = 0] = images.shape;
  const [rows = 0, ...axes] = shape;
  const width = elementCount(axes);
  const real = type.startsWith('f');
  if (shape.length < 1 || !(real || (shape.length <= 2 && width === 1))) {
    const perPixel = `a class for each pixel is learned as numbers, one a class: save [count, classes, rows, columns] of 0 and 1 as float32, and train with \`loss bce\``;
    const perSample = 'classes are one integer a sample: numpy.argmax(labels, 1) of one-hot rows';
    const help = real ? undefined : shape.length > 2 ? perPixel : perSample;
    bad(`${what} have the shape [${shape.join(', ')}], not [count]${real ? ' or [count, …outputs]' : ''}`, help);
  }
  if (rows !== length) fail('data/count-mismatch', { name, images: length, labels: rows });
  if (rows * width > labelLimit) fail('data/unpacked-too-large', { file: path, limit: labelLimit });
  const values = read();
  if (real) {
    const at = values.findIndex((v) => !Number.isFinite(v));
    if (at !== -1) bad(`label ${Math.floor(at / width)} is not finite`);
    return { classes: new Int32Array(rows), numbers: { width, values: Float32Array.from(values) } };
  }
  const index = values.findIndex((v) => v < 0 || v >= mostClasses);
  if (index !== -1)
    fail('data/label-out-of-range', { name: path, label: values[index] ?? 0, index, classes: mostClasses });
  return { classes: Int32Array.from(values) };
}

/** An array of samples [count, …] and one of their labels, as a data set. */
function labelledArrays(parts: Parts): Dataset {
  const { name, images, layout, others, missing, bad, close } = parts;
  const absent = parts.labels === undefined;
  const [length = 0, ...axes] = images.shape;
  const { classes: labels, numbers }: Labels =
    parts.labels === undefined ? { classes: new Int32Array(length) } : readLabels(parts.labels, parts);
  // rows and columns are an image of one channel
  const shape = axes.length === 2 ? [1, ...axes] : axes;
  if (axes.length < 1 || axes.length > 4)
    bad(`samples have the shape [${images.shape.join(', ')}]; 2 to 5 dimensions are expected`);
  const size = shape.reduce((product, n) => product * n, 1);
  if (length === 0 || size === 0) fail('data/empty', { name });
  const bytes = images.type === 'u1';
  const named: NamedLabels = {
    names: others.names,
    of: (one) => {
      const array = others.of(one);
      return array === undefined ? undefined : readLabels(array, parts, `labels \`${one}\``);
    },
  };
  const raw: Dataset = {
    name,
    shape,
    ...(layout === undefined ? {} : { layout }),
    classes: numbers === undefined ? labels.reduce((most, label) => Math.max(most, label), 0) + 1 : 0,
    classesKnown: false,
    length,
    type: images.type,
    scale: bytes && axes.length < 4 ? 255 : 1,
    frameScale: 1,
    ...(numbers === undefined ? {} : { targets: numbers.width }),
    labelled: !absent,
    ...(others.names.length === 0 ? {} : { named }),
    ...(absent && missing !== undefined ? { withoutLabels: missing } : {}),
    notes: wideNotes(name, images.type),
    read(start, wanted) {
      const count = batchCount({ length }, start, wanted);
      return {
        count,
        images: images.samples({ start, count, size }),
        labels: labels.slice(start, start + count),
        ...(numbers === undefined
          ? {}
          : { targets: numbers.values.slice(start * numbers.width, (start + count) * numbers.width) }),
      };
    },
    close,
  };
  return layout === 'nhwc' && axes.length > 2 ? withChannelsFirst(raw) : raw;
}

function wideNotes(name: string, type: string): readonly string[] {
  if (type !== 'u2') return [];
  return [`${name}: 16-bit pixels are taken as they are, from 0 to 65535; --std 65535 scales them to 0…1`];
}
