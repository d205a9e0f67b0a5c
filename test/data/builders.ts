import { deflateRawSync, deflateSync } from 'node:zlib';
import { crc32 } from '../../src/data/zip.js';

/** An IDX file of unsigned bytes. */
export function idxBytes(shape: readonly number[], data: ArrayLike<number>, type = 0x08): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, type, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((n, i) => view.setUint32(4 + 4 * i, n));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

/** A .npy file. `data` are the elements' bytes. */
export function npyBytes(descr: string, shape: readonly number[], data: Uint8Array, fortran = false): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': ${descr}, 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${tuple}), }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const header = `\x93NUMPY\x01\x00${String.fromCharCode(length & 255, length >> 8)}${dictionary.padEnd(length - 1)}\n`;
  return Buffer.concat([Buffer.from(header, 'latin1'), data]);
}

export function bytesOf(array: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  readonly change?: (fields: { method: number; crc: number; size: number; flags: number }) => void;
}

/** A ZIP archive. */
export function zipBytes(members: readonly Member[]): Uint8Array {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate = false, change } of members) {
    const packed = deflate ? deflateRawSync(data) : data;
    const fields = { method: deflate ? 8 : 0, crc: crc32(data), size: data.length, flags: 0 };
    change?.(fields);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(fields.flags, 2);
    common.writeUInt16LE(fields.method, 4);
    common.writeUInt32LE(fields.crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(fields.size, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** An element of a MATLAB 5 file: its tag, its content, and zeros up to 8 bytes. */
export function matElement(type: number, content: Uint8Array): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(content.length, 4);
  return Buffer.concat([tag, content, Buffer.alloc(type === 15 ? 0 : -content.length & 7)]);
}

export interface MatArray {
  readonly name: string;
  /** Of MATLAB: the first index runs fastest. */
  readonly shape: readonly number[];
  readonly type?: number;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** The class of the array: 6 double, 9 uint8, 4 text … */
  readonly kind?: number;
}

/** A MATLAB 5 file. Names of up to 4 letters take the small form of an element, as MATLAB writes them. */
export function matBytes(arrays: readonly MatArray[]): Buffer {
  const head = Buffer.alloc(128, ' ');
  head.write('MATLAB 5.0 MAT-file', 'latin1');
  head.writeUInt16LE(0x0100, 124);
  head.write('IM', 126, 'latin1');
  const parts = arrays.map(({ name, shape, type = 2, data, deflate = false, kind = 9 }) => {
    const flags = Buffer.alloc(8);
    flags.writeUInt32LE(kind, 0);
    const sizes = Buffer.alloc(4 * shape.length);
    shape.forEach((n, i) => sizes.writeInt32LE(n, 4 * i));
    const small = Buffer.alloc(8);
    small.writeUInt16LE(1, 0);
    small.writeUInt16LE(name.length, 2);
    small.write(name, 4, 'latin1');
    const title = name.length <= 4 ? small : matElement(1, Buffer.from(name, 'latin1'));
    const matrix = matElement(14, Buffer.concat([matElement(6, flags), matElement(5, sizes), title, matElement(type, data)]));
    return deflate ? matElement(15, deflateSync(matrix)) : matrix;
  });
  return Buffer.concat([head, ...parts]);
}
