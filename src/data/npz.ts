import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, unpackLimit } from './bytes.js';
import type { Dataset, Layout, NamedInput } from './dataset.js';
import { FileReader } from './files.js';
import { type StoredArray, imageKeys, labelKeys, labelledArrays } from './labelled-arrays.js';
import { type NpyArray, type NpyHeader, npyHeaderLimit, readImages, readNpy, readNpyHeader } from './npy.js';
import { type ZipMember, listZip, memberHead, openMember } from './zip.js';

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
    const has = (keys: readonly string[]): boolean => members.some((m) => keys.some((key) => m.name === `${key}.npy`));
    const names = members.flatMap(({ name: own }) => (own.endsWith('.npy') ? [own.slice(0, -4)] : []));
    const other = names.filter((key) => !imageKeys.includes(key) && !labelKeys.includes(key));
    // none has a name of samples: they are those of a network's inputs
    const unnamed = !has(imageKeys) && other.length > 0;
    const images = findArray(file, members, unnamed ? other.slice(0, 1) : imageKeys, limit);
    const labelsOf = (): Found => findArray(file, members, labelKeys, limit);
    // labels by their names alone are those of a network's outputs
    const found = has(labelKeys) || (labelled && other.length === 0) ? labelsOf() : undefined;
    const labels = found === undefined ? undefined : stored(found);
    const missing = labelled ? (): never => labelsOf() as never : undefined;
    const others = {
      names: other,
      of: (key: string): StoredArray | undefined =>
        has([key]) ? stored(findArray(file, members, [key], limit)) : undefined,
    };
    const bad = (reason: string, help?: string): never => fail('data/bad-npz', { file: path, reason }, undefined, { help });
    const parts = { name, path, labels, others, missing, layout, bad, close: (): void => file.close() };
    const inARow = (inputs: readonly NamedInput[], size: number): Dataset | undefined => {
      if (!inputs.every((input) => has([input.name]))) return undefined;
      const arrays = inputs.map((input) => stored(findArray(file, members, [input.name], limit)));
      const row = arrays.length === 1 ? arrays[0]! : rowOf({ name, inputs, arrays, size });
      return labelledArrays({ ...parts, images: row });
    };
    return { ...labelledArrays({ ...parts, images: stored(images) }), inARow, ...(unnamed ? { arrays: other } : {}) };
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

interface Row {
  readonly name: string;
  readonly inputs: readonly NamedInput[];
  readonly arrays: readonly StoredArray[];
  /** Numbers of a sample. */
  readonly size: number;
}

/** Arrays as one whose samples have their numbers in a row; bytes of images are pixels, scaled to 0…1. */
function rowOf({ name, inputs, arrays, size }: Row): StoredArray {
  const [length = 0] = arrays[0]!.shape;
  for (const [i, { shape }] of arrays.entries()) {
    const { start, end, name: input } = inputs[i]!;
    const own = shape.slice(1);
    if (own.reduce((all, n) => all * n, 1) !== end - start || shape.length === 0) {
      fail('data/shape-mismatch', { name: `${name}, ${input}`, data: own, network: [end - start] });
    }
    if (shape[0] !== length) fail('data/count-mismatch', { name: `${name}, ${input}`, images: length, labels: shape[0]! });
  }
  const samples = ({ start: first, count }: { readonly start: number; readonly count: number }): Float32Array => {
    const row = new Float32Array(count * size);
    for (const [i, { shape, type, samples: read }] of arrays.entries()) {
      const { start, end } = inputs[i]!;
      const scale = type === 'u1' && shape.length > 2 ? 255 : 1;
      const own = read({ start: first, count, size: end - start });
      for (let n = 0; n < count; n++) {
        for (let at = start; at < end; at++) row[n * size + at] = own[n * (end - start) + at - start]! / scale;
      }
    }
    return row;
  };
  const numbers = (): Float64Array => Float64Array.from(samples({ start: 0, count: length }));
  return { shape: [length, size], type: 'f4', samples, numbers };
}

function stored({ header, open }: Found): StoredArray {
  return {
    shape: header.shape,
    type: header.type,
    samples: (part) => readImages(open(), part),
    numbers: () => readNpy(open(), 0, header.shape.reduce((all, n) => all * n, 1), Float64Array),
  };
}
