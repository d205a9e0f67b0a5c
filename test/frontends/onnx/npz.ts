import { inflateRawSync } from 'node:zlib';

/** The arrays of a NumPy archive by name: float32 and int64 ones. */
export function npzArrays(bytes: Buffer): ReadonlyMap<string, { readonly data: ArrayLike<number> }> {
  const arrays = new Map<string, { readonly data: ArrayLike<number> }>();
  for (let at = bytes.indexOf('PK\x01\x02'); at >= 0; at = bytes.indexOf('PK\x01\x02', at + 4)) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength).replace(/\.npy$/, '');
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const packed = bytes.subarray(start, start + bytes.readUInt32LE(at + 20));
    arrays.set(name, { data: npyData(bytes.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed)) });
  }
  return arrays;
}

function npyData(bytes: Buffer): ArrayLike<number> {
  const length = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + length);
  const contents = new Uint8Array(bytes.subarray(10 + length)).buffer;
  if (header.includes("'<f4'")) return new Float32Array(contents);
  if (header.includes("'<i8'")) return Array.from(new BigInt64Array(contents), Number);
  throw new Error(`no reader for ${header}`);
}
