import { fail } from '../base/diagnostics/index.js';
import type { ByteSource } from './bytes.js';

/** An array in a `.npy` file: row-major (C order), read by element range. */
export interface NpyArray {
  readonly source: ByteSource;
  /** NumPy's type code without the byte order: `u1`, `f4`, `i8` … */
  readonly type: string;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  readonly offset: number;
}

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

/** Reads a `.npy` header: magic, version, and a Python dictionary literal with `descr`, `fortran_order` and `shape`. */
export function readNpyHeader(source: ByteSource, name: string): NpyArray {
  const file = source.path;
  const bad = (reason: string): never => fail('data/bad-npz', { file, reason: `array "${name}": ${reason}` });
  const start = source.read(0, 12);
  if (start.length < 12 || String.fromCharCode(...start.subarray(1, 6)) !== 'NUMPY' || start[0] !== 0x93) {
    bad('it is not a .npy array');
  }
  const view = new DataView(start.buffer, start.byteOffset);
  const major = view.getUint8(6);
  if (major < 1 || major > 3) bad(`version ${major} of the .npy format is unknown`);
  const headerStart = major === 1 ? 10 : 12;
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > 65_536) bad('its header is too long');
  const bytes = source.read(headerStart, headerLength);
  const header = new TextDecoder('latin1').decode(bytes);
  const descr = /'descr':\s*'([<>|=])([a-zA-Z]\d*)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const dims = /'shape':\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (descr === null) {
    const type = /'descr':\s*([^,}]{1,40})/.exec(header)?.[1] ?? 'unknown';
    return fail('data/unsupported-type', { file, type, supported: npyTypes.join(', ') });
  }
  if (order === undefined || dims === undefined) return bad('its header is damaged');
  const [, byteOrder = '<', type = ''] = descr;
  if (readers[type] === undefined) fail('data/unsupported-type', { file, type, supported: npyTypes.join(', ') });
  if (order === 'True') bad('it is in Fortran order; save it with numpy.ascontiguousarray');
  const shape = dims
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const offset = headerStart + headerLength;
  const expected = offset + widthOf(type) * shape.reduce((product, n) => product * n, 1);
  if (source.size < expected) fail('data/truncated', { file, expected, found: source.size });
  return { source, type, bigEndian: byteOrder === '>', shape, offset };
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
