import type { NirArray, NirNode } from '../../frontends/nir/index.js';
import type { Network, Op } from '../../network/index.js';
import type { Convention } from './conventions.js';

/** What an op is in NIR: a node; nothing of its own, so that what reads it reads what it reads; or nothing that NIR can say. */
export type Row = (call: RowCall) => NirNode | 'through' | { readonly cannot: string };

export interface RowCall {
  readonly network: Network;
  readonly op: Op;
  readonly convention: Convention;
  /** Shape of what it reads. */
  readonly from: readonly number[];
  /** What it gives comes back to it. */
  readonly closes: boolean;
  /** That it is only nearly what the network does. */
  readonly approximate: (why: string) => void;
}

export function numbers(shape: readonly number[], data: ArrayLike<number>): NirArray {
  return { shape, data: Float64Array.from(data) };
}

export function integers(values: readonly number[], scalar = false): NirArray {
  return { shape: scalar ? [] : [values.length], data: Float64Array.from(values), integer: true };
}

export function node(type: string, fields: Readonly<Record<string, NirArray | string>>): NirNode {
  return { type, fields: new Map(Object.entries(fields)) };
}
