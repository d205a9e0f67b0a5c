import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, unpackLimit } from './bytes.js';
import type { Dataset, Layout } from './dataset.js';
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
    const images = findArray(file, members, imageKeys, limit);
    const has = (keys: readonly string[]): boolean => members.some((m) => keys.some((key) => m.name === `${key}.npy`));
    const names = members.flatMap(({ name: own }) => (own.endsWith('.npy') ? [own.slice(0, -4)] : []));
    const other = names.filter((key) => !imageKeys.includes(key) && !labelKeys.includes(key));
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
    const close = (): void => file.close();
    return labelledArrays({ name, path, images: stored(images), labels, others, missing, layout, bad, close });
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

function stored({ header, open }: Found): StoredArray {
  return {
    shape: header.shape,
    type: header.type,
    samples: (part) => readImages(open(), part),
    numbers: () => readNpy(open(), 0, header.shape.reduce((all, n) => all * n, 1), Float64Array),
  };
}
