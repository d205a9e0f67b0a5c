import { constants, inflateSync } from 'node:zlib';
import { fail } from '../base/diagnostics/index.js';
import { type ByteSource, failTooLarge, failUnpacking, isTooLarge, memorySource, partOf, unpackLimit } from './bytes.js';
import type { NpyArray } from './npy.js';

/** Elements of a MATLAB 5 file, by their numbers: those of numbers as NumPy abbreviates them. */
const numberTypes: Readonly<Record<number, string>> = {
  1: 'i1',
  2: 'u1',
  3: 'i2',
  4: 'u2',
  5: 'i4',
  6: 'u4',
  7: 'f4',
  9: 'f8',
  12: 'i8',
  13: 'u8',
};
const matrixType = 14;
const compressedType = 15;
const headerSize = 128;
/** Elements and names that are looked at: files of data sets have a handful. */
const mostElements = 4096;

interface Element {
  readonly type: number;
  /** Where its content begins, and its bytes. */
  readonly start: number;
  readonly size: number;
  /** Where the next one begins. */
  readonly next: number;
}

/**
 * Arrays of numbers in a MATLAB file of version 5 (`save -v6` and `-v7`), by name. Their elements lie column-major: the first index runs
 * fastest, so the shapes are given here the other way round, as a row-major array has them. Compressed ones are unpacked in memory.
 */
export function readMat(file: ByteSource, names: readonly string[], limit = unpackLimit): ReadonlyMap<string, NpyArray> {
  const bad = (reason: string, help?: string): never => fail('data/bad-mat', { file: file.path, reason }, undefined, { help });
  const head = new TextDecoder('latin1').decode(file.read(0, headerSize));
  const order = head.slice(126);
  if (head.startsWith('MATLAB 7.3') || head.startsWith('\x89HDF'))
    bad('it is one of version 7.3, which is HDF5', 'save it with -v7');
  if (head.length < headerSize || (order !== 'IM' && order !== 'MI')) bad('it has no header of MATLAB 5');
  const little = order === 'IM';
  const found = new Map<string, NpyArray>();
  let at = headerSize;
  for (let count = 0; at < file.size && found.size < names.length; count++) {
    if (count === mostElements) bad(`it has more than ${mostElements} elements`);
    const element = elementAt(file, at, { little, packed: true, bad });
    // a matrix says its name in front of its numbers: others aren't unpacked
    const wanted = element.type === compressedType ? unpacked(file, element, { names, little, limit, bad }) : file;
    if (wanted !== undefined) {
      const inner = wanted === file ? element : elementAt(wanted, 0, { little, bad });
      const [name, array] = inner.type === matrixType ? matrixIn(wanted, inner, { little, bad }) : [];
      if (name !== undefined && names.includes(name)) found.set(name, array ?? bad(`"${name}" is no array of numbers`));
    }
    at = element.next;
  }
  return found;
}

interface Reading {
  readonly little: boolean;
  readonly bad: (reason: string) => never;
  /** Compressed elements may stand here, which aren't filled up to 8 bytes. */
  readonly packed?: boolean;
}

/** An element's tag: a type and a size in 4 bytes each, or in the small form 2 bytes each and the content behind them. */
function elementAt(source: ByteSource, at: number, { little, bad, packed = false }: Reading): Element {
  const tag = source.read(at, 8);
  if (tag.length < 8) return fail('data/truncated', { file: source.path, expected: at + 8, found: source.size });
  const view = new DataView(tag.buffer, tag.byteOffset, 8);
  const first = view.getUint32(0, little);
  const small = first >>> 16;
  if (small !== 0) {
    if (small > 4) bad(`its element at byte ${at} is damaged`);
    return { type: first & 0xffff, start: at + 4, size: small, next: at + 8 };
  }
  const size = view.getUint32(4, little);
  const end = at + 8 + size;
  if (end > source.size) return fail('data/truncated', { file: source.path, expected: end, found: source.size });
  const filled = packed && first === compressedType ? 0 : -size & 7;
  return { type: first, start: at + 8, size, next: end + filled };
}

/** The first bytes of a packed element: more than a name and dimensions take. */
const packedHead = 4096;

function unpacked(
  file: ByteSource,
  { start, size }: Element,
  { names, limit, little, bad }: Reading & { readonly names: readonly string[]; readonly limit: number },
): ByteSource | undefined {
  const bytes = file.read(start, size);
  const inflate = (packed: Uint8Array, options: Parameters<typeof inflateSync>[1]): ByteSource => {
    const all = inflateSync(packed, options);
    return memorySource(file.path, new Uint8Array(all.buffer as ArrayBuffer, all.byteOffset, all.length));
  };
  try {
    const head = inflate(bytes.subarray(0, packedHead), { finishFlush: constants.Z_SYNC_FLUSH });
    const tag = head.read(0, 8);
    if (tag.length < 8) bad('a packed array in it is cut off');
    const all = new DataView(tag.buffer, tag.byteOffset, 8).getUint32(4, little) + 8;
    const whole = { ...head, size: Math.max(head.size, all) };
    const { type, start: from } = elementAt(whole, 0, { little, bad });
    if (type !== matrixType || !names.includes(matrixHead(whole, from, { little, bad }).name)) return undefined;
    if (all > limit) failTooLarge(file.path, limit, 'write it with save -v6; plain arrays are read batch by batch');
    return inflate(bytes, { maxOutputLength: all });
  } catch (error) {
    if (isTooLarge(error)) return bad('an array in it unpacks to more than it says');
    return failUnpacking(error, file.path);
  }
}

interface MatrixHead {
  readonly name: string;
  readonly shape: readonly number[];
  readonly numbers: boolean;
  /** Where the numbers' element begins. */
  readonly next: number;
}

/** Flags, dimensions and the name of a matrix. */
function matrixHead(source: ByteSource, start: number, reading: Reading): MatrixHead {
  const flags = elementAt(source, start, reading);
  const kind = source.read(flags.start, 4);
  const flag = kind.length < 4 ? 0 : new DataView(kind.buffer, kind.byteOffset, 4).getUint32(0, reading.little);
  const dimensions = elementAt(source, flags.next, reading);
  const name = elementAt(source, dimensions.next, reading);
  if (dimensions.size > 128 || name.size > 256) reading.bad('an array in it has a damaged head');
  const sizes = source.read(dimensions.start, dimensions.size);
  const view = new DataView(sizes.buffer, sizes.byteOffset, sizes.byteLength);
  const shape = Array.from({ length: sizes.length >> 2 }, (_, i) => view.getInt32(4 * i, reading.little));
  const complex = (flag & 0x0800) !== 0;
  // classes 6 … 15 are numbers; cells, structures, objects, text and sparse arrays stand before them
  const numbers = (flag & 0xff) >= 6 && (flag & 0xff) <= 15 && !complex;
  return { name: new TextDecoder().decode(source.read(name.start, name.size)), shape: shape.reverse(), numbers, next: name.next };
}

function matrixIn(source: ByteSource, { start, size }: Element, reading: Reading): [string, NpyArray | undefined] {
  const { name, shape, numbers, next } = matrixHead(source, start, reading);
  if (!numbers) return [name, undefined];
  const data = elementAt(source, next, reading);
  const type = numberTypes[data.type];
  const count = shape.reduce((product, n) => product * n, 1);
  if (type === undefined || shape.some((n) => n < 0) || data.start + data.size > start + size || data.size !== count * Number(type.slice(1)))
    return reading.bad(`its array "${name}" is damaged: [${shape.join(', ')}] numbers in ${data.size} bytes`);
  return [name, { source: partOf(source, data.start, data.size), shape, offset: 0, type, bigEndian: !reading.little }];
}
