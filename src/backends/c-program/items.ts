import type { Dim, TensorOp } from '../../tensor/index.js';
import { type AxisSize, type Layout, splitShape } from './shapes.js';

/** The stored value that an item is, or is a part of. */
export interface Target {
  readonly shape: readonly Dim[];
  readonly layout: Layout;
  /** The axis along which the item is a part, and where it begins there. */
  readonly axis: number;
  readonly at: number;
  /** The item is computed in a shape of its own, with the same elements in the same order. */
  readonly reshaped?: boolean;
}

/** Something that a kernel's loops compute: a value to store, or a reduction of one. */
export interface Item {
  readonly key: string;
  /** The value that is computed per element: what is stored, or what is reduced. */
  readonly value: string;
  readonly shape: readonly Dim[];
  readonly buffer: number;
  /** Where the value is stored: its own shape and layout, a part of a larger value (concatenations), or another shape. */
  readonly target: Target;
  readonly reduce?: {
    readonly kind: 'sum' | 'max';
    readonly axes: readonly number[];
    readonly scale: number;
    readonly dtype: TensorOp['dtype'];
  };
  /** The steps of time that are computed each by itself; undefined where time is a loop or absent. */
  readonly planes?: readonly number[];
  /** The loops, from outermost to innermost: parts of the split shape; elements in a row for `flat`. */
  readonly order: readonly number[] | 'flat';
  readonly domain: string;
}

/** The parts of a reduced item's split shape that stay. */
export function keptParts(item: Pick<Item, 'shape' | 'reduce'>): ReadonlySet<number> {
  const { axes } = splitShape(item.shape);
  return new Set(axes.flatMap((parts, axis) => (item.reduce!.axes.includes(axis) ? [] : parts)));
}

/** Largest number of sums that a kernel keeps for one reduction. */
const mostSums = 32_768;

/** What stays, what is reduced, what stays: the loops of a reduction. */
export function reductionOrder(
  order: readonly number[],
  kept: ReadonlySet<number>,
  sizes: readonly AxisSize[],
): readonly number[] {
  const first = order.findIndex((part) => !kept.has(part));
  if (first < 0) return order;
  const last = order.findLastIndex((part) => !kept.has(part));
  const suffix = order.slice(last + 1);
  const middle = order.slice(first, last + 1);
  const count = suffix.reduce<number>((product, part) => product * (sizes[part] === 'N' ? Infinity : sizes[part]!), 1);
  if (middle.every((part) => !kept.has(part)) && count <= mostSums) return order;
  return [...order.filter((part) => kept.has(part)), ...order.filter((part) => !kept.has(part))];
}
