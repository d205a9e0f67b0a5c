import { fail } from '../base/diagnostics/index.js';
import type { ByteSource } from './bytes.js';

/** What a `.npy` file says of its array: row-major (C order). */
export interface NpyHeader {
  /** NumPy's type code without the byte order: `u1`, `f4`, `i8` … */
  readonly type: string;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  /** Where the elements start. */
  readonly offset: number;
}

/** An array in a `.npy` file, read by element range. */
export interface NpyArray extends NpyHeader {
  readonly source: ByteSource;
}

/** Bytes from the start in which the header lies. */
export const npyHeaderLimit = 12 + 65_536;

const readers: Readonly<Record<string, (view: DataView, at: number, little: boolean) => number>> = {
  b1: (view, at) => view.getUint8(at),
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
};

/** Types of NumPy that can be read, as NumPy abbreviates them. */
export const npyTypes = Object.keys(readers);

function widthOf(type: string): number {
  return Number(type.slice(1));
}

/**
 * Reads a `.npy` header: magic, version, and a Python dictionary literal with `descr`, `fortran_order` and `shape`.
 * @param head The file's first bytes, up to {@link npyHeaderLimit}.
 * @param size Of the whole file, which must hold all elements.
 */
export function readNpyHeader(head: ByteSource, size: number, name: string): NpyHeader {
  const file = head.path;
  const bad = (reason: string): never => fail('data/bad-npz', { file, reason: `array "${name}": ${reason}` });
  const start = head.read(0, 12);
  if (start.length < 12 || String.fromCharCode(...start.subarray(1, 6)) !== 'NUMPY' || start[0] !== 0x93) {
    bad('it is not a .npy array');
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const major = view.getUint8(6);
  if (major < 1 || major > 3) bad(`version ${major} of the .npy format is unknown`);
  const headerStart = major === 1 ? 10 : 12;
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > 65_536) bad('its header is too long');
  const header = new TextDecoder('latin1').decode(head.read(headerStart, headerLength));
  const descr = /'descr':\s*'([<>|=])([a-zA-Z]\d*)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  if (descr === null) {
    const type = /'descr':\s*([^,}]{1,40})/.exec(header)?.[1] ?? 'unknown';
    return fail('data/unsupported-type', { file, type: printable(type), supported: npyTypes.join(', ') });
  }
  const shape = shapeOf(header);
  if (order === undefined || shape === undefined) return bad(`its header is damaged: ${printable(header)}`);
  const [, byteOrder = '<', type = ''] = descr;
  if (!npyTypes.includes(type)) fail('data/unsupported-type', { file, type, supported: npyTypes.join(', ') });
  if (order === 'True') bad('it is in Fortran order; save it with numpy.ascontiguousarray');
  const offset = headerStart + headerLength;
  const expected = offset + widthOf(type) * shape.reduce((product, n) => product * n, 1);
  if (expected > Number.MAX_SAFE_INTEGER) bad(`no file holds its shape [${shape.join(', ')}]`);
  if (size < expected) fail('data/truncated', { file, expected, found: size });
  if (size > expected) bad(`${size - expected} bytes follow the end of its data`);
  return { type, bigEndian: byteOrder === '>', shape, offset };
}

/** The tuple of whole numbers behind `shape`. */
function shapeOf(header: string): readonly number[] | undefined {
  const dims = /'shape':\s*\(\s*((?:\d{1,15}\s*,\s*)*(?:\d{1,15}\s*)?)\)/.exec(header)?.[1];
  return dims
    ?.split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
}

/** The beginning of a text, on one line. */
function printable(text: string): string {
  const line = text.replace(/[^ -~]+/g, ' ').replace(/ +/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 120)} …` : line;
}

/** The elements `[start, start + count)` of the flat array: bytes for `u1`, otherwise converted to `Result`. */
export function readNpy<A extends Float32Array | Float64Array>(
  array: NpyArray,
  start: number,
  count: number,
  Result: new (length: number) => A,
): A {
  const width = widthOf(array.type);
  const bytes = array.source.read(array.offset + start * width, count * width);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readers[array.type];
  if (read === undefined) throw new TypeError(`npy: type ${array.type} was not checked`);
  const result = new Result(count);
  for (let i = 0; i < count; i++) result[i] = read(view, i * width, !array.bigEndian);
  return result;
}

/** The elements of a `u1` array as they are. */
export function readNpyBytes(array: NpyArray, start: number, count: number): Uint8Array<ArrayBuffer> {
  return array.source.read(array.offset + start, count);
}

/** A label from here on is no class. */
export const mostClasses = 2 ** 20;

/** Samples `[start, start + count)` of `size` elements each; bytes as they are. */
export function readImages(
  array: NpyArray,
  { start, count, size }: { readonly start: number; readonly count: number; readonly size: number },
): Uint8Array | Float32Array {
  if (array.type === 'u1') return readNpyBytes(array, start * size, count * size);
  const raw = readNpy(array, start * size, count * size, Float32Array);
  const at = raw.findIndex((v) => !Number.isFinite(v));
  if (at !== -1) {
    const reason = `image ${start + Math.floor(at / size)} has a value that is not finite`;
    fail('data/bad-npz', { file: array.source.path, reason });
  }
  return raw;
}
