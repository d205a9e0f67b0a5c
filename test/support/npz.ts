import { writeFileSync } from 'node:fs';
import { bytesOf, npyBytes, zipBytes } from '../data/builders.js';

/** Arrays of an NPZ file: bytes, 64-bit integers or 32-bit floats by the kind of their data. */
export type Arrays = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Uint8Array | BigInt64Array | Float32Array }>
>;

/** Writes an NPZ file; its name for `--data`. */
export function writeNpz(path: string, arrays: Arrays): string {
  const members = Object.entries(arrays).map(([name, { shape, data }]) => {
    const type = data instanceof Uint8Array ? '|u1' : data instanceof Float32Array ? '<f4' : '<i8';
    return { name: `${name}.npy`, data: npyBytes(`'${type}'`, shape, bytesOf(data)) };
  });
  writeFileSync(path, zipBytes(members));
  return `npz:${path}`;
}

export function integers(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}
