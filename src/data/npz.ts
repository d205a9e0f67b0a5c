import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, failTooLarge, unpackLimit } from './bytes.js';
import type { Dataset, Layout } from './dataset.js';
import { FileReader } from './files.js';
import { type StoredArray, arraysOfFile } from './labelled-arrays.js';
import { type NpyArray, type NpyHeader, npyHeaderLimit, readImages, readNpy, readNpyHeader } from './npy.js';
import { type ZipMember, listZip, memberHead, openMember, unpackedArrays } from './zip.js';

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
    return arraysOfFile({
      name,
      path,
      names: members.flatMap(({ name: own }) => (own.endsWith('.npy') ? [own.slice(0, -4)] : [])),
      array: (key) => stored(findArray(file, members, [key], limit)),
      lacks: (keys) => findArray(file, members, keys, limit) as never,
      labelled,
      layout,
      bad: (reason, help) => fail('data/bad-npz', { file: path, reason }, undefined, { help }),
      close: () => file.close(),
    });
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
    if (member.size > limit && member.method !== 0) failTooLarge(file.path, limit, unpackedArrays);
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
