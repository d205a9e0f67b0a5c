import type { DType } from '../../base/dtype.js';
import type { Size } from './linear.js';

/** A place in memory for one value. */
export interface Buffer {
  readonly index: number;
  readonly key: string;
  readonly dtype: DType;
  /** Elements. */
  readonly size: Size;
  /** What a byte counts, where bytes hold the floats of a value. */
  readonly unit?: number;
}

/** All places of a program, in the order in which they were asked for. */
export class BufferTable {
  readonly all: Buffer[] = [];
  readonly #byKey = new Map<string, number>();

  take(key: string, dtype: DType, size: Size, unit?: number): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const index = this.all.length;
    this.all.push(unit === undefined ? { index, key, dtype, size } : { index, key, dtype: 'u8', size, unit });
    this.#byKey.set(key, index);
    return index;
  }

  find(key: string): number | undefined {
    return this.#byKey.get(key);
  }
}
