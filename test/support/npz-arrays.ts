import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

export interface NpzArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The arrays of floats and integers of an NPZ file by name, by a reader of its own; others are left out. */
export function readNpzArrays(path: string): ReadonlyMap<string, NpzArray> {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  const arrays = new Map<string, NpzArray>();
  let at = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n--) {
    const [method, size] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const local = bytes.readUInt32LE(at + 42);
    const id = bytes.toString('utf8', at + 46, at + 46 + name).replace(/\.npy$/, '');
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const raw = bytes.subarray(start, start + size);
    const array = npyArray(method === 0 ? raw : inflateRawSync(raw));
    if (array !== undefined) arrays.set(id, array);
    at += 46 + name + extra + comment;
  }
  return arrays;
}

function npyArray(npy: Buffer): NpzArray | undefined {
  const header = npy.toString('latin1', 10, 10 + npy.readUInt16LE(8));
  const type = /'descr': '[<|]([fiu]\d)'/.exec(header)?.[1];
  if (type === undefined) return undefined;
  const shape = /'shape': \(([^)]*)\)/
    .exec(header)![1]!
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const width = Number(type[1]);
  const values = npy.subarray(10 + npy.readUInt16LE(8));
  const read = (i: number): number => {
    if (type === 'f4') return values.readFloatLE(i);
    if (type === 'f8') return values.readDoubleLE(i);
    if (type === 'u1') return values.readUInt8(i);
    return width === 8 ? Number(values.readBigInt64LE(i)) : values.readIntLE(i, width);
  };
  return { shape, data: Array.from({ length: values.length / width }, (_, i) => read(i * width)) };
}
