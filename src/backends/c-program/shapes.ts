import { type Dim, isBatch } from '../../tensor/index.js';
import { type Linear, type Size, divide, plus, sizeOf, times, zero } from './linear.js';

/** The size of one axis of a split shape; a batch axis is two, [steps, N]. */
export type AxisSize = number | 'N';

/** A shape with its batch axis in two; `axes` says for each axis of the shape where its parts are. */
export interface Split {
  readonly sizes: readonly AxisSize[];
  readonly axes: readonly (readonly number[])[];
  /** Position of the steps of the batch axis; −1 where there is none. */
  readonly time: number;
}

export function splitShape(shape: readonly Dim[]): Split {
  const sizes: AxisSize[] = [];
  let time = -1;
  const axes = shape.map((dim) => {
    const at = sizes.length;
    if (!isBatch(dim)) {
      sizes.push(dim);
      return [at];
    }
    time = at;
    sizes.push(dim.batch, 'N');
    return [at, at + 1];
  });
  return { sizes, axes, time };
}

/** How the elements of a value lie in memory: `channels`, with axis 1 of four innermost, or row by row. */
export type Layout = 'rows' | 'channels';

/** A value in one layout. */
export interface Demand {
  readonly id: string;
  readonly layout: Layout;
}

/** The parts of a split shape from outermost to innermost. */
export function memoryOrder({ axes }: Split, layout: Layout): readonly number[] {
  const order = layout === 'channels' ? [0, 2, 3, 1] : axes.map((_, i) => i);
  return order.flatMap((axis) => axes[axis]!);
}

/** Where an element lies. */
export function offsetOf(split: Split, layout: Layout, index: readonly Linear[]): Linear {
  let stride: Size = { factor: 1, power: 0 };
  let offset = zero;
  for (const part of memoryOrder(split, layout).toReversed()) {
    offset = plus(offset, times(index[part]!, stride));
    const { factor, power } = sizeOf([split.sizes[part]!]);
    stride = { factor: stride.factor * factor, power: stride.power + power };
  }
  return offset;
}

export function volumeOf(shape: readonly Dim[]): Size {
  return sizeOf(splitShape(shape).sizes);
}

/** The index into `from` of the element that has `index` in `to`, of as many elements in the same order. */
export function reshapedIndex(to: Split, index: readonly Linear[], from: Split): Linear[] {
  const found: Linear[] = from.sizes.map(() => zero);
  if (from.sizes.includes(0)) return found;
  const left = to.sizes.map((_, i) => i).filter((i) => to.sizes[i] !== 1);
  const right = from.sizes.map((_, i) => i).filter((i) => from.sizes[i] !== 1);
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    // the fewest axes on both sides that have as many elements
    let [a, b] = [Math.min(i + 1, left.length), Math.min(j + 1, right.length)];
    for (;;) {
      const [p, q] = [
        sizeOf(left.slice(i, a).map((axis) => to.sizes[axis]!)),
        sizeOf(right.slice(j, b).map((axis) => from.sizes[axis]!)),
      ];
      if (p.factor === q.factor && p.power === q.power) break;
      const extendLeft = p.power < q.power || (p.power === q.power && p.factor < q.factor);
      if ((extendLeft && a < left.length) || b === right.length) a++;
      else b++;
      if (a > left.length) throw new RangeError('a reshape to another number of elements');
    }
    const group = left.slice(i, a);
    const flat = flattened(
      group.map((axis) => to.sizes[axis]!),
      group.map((axis) => index[axis]!),
    );
    const axes = right.slice(j, b);
    unflattened(
      flat,
      axes.map((axis) => from.sizes[axis]!),
    ).forEach((part, k) => (found[axes[k]!] = part));
    [i, j] = [a, b];
  }
  return found;
}

function flattened(sizes: readonly AxisSize[], index: readonly Linear[]): Linear {
  let flat = zero;
  sizes.forEach((size, i) => (flat = plus(times(flat, sizeOf([size])), index[i]!)));
  return flat;
}

function unflattened(flat: Linear, sizes: readonly AxisSize[]): Linear[] {
  const found: Linear[] = [];
  let rest = flat;
  sizes.forEach((_, i) => {
    const [quotient, remainder] = divide(rest, sizeOf(sizes.slice(i + 1)));
    found.push(quotient);
    rest = remainder;
  });
  return found;
}
