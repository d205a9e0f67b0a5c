import { type ArrayOf, type DType, type Tensor, type TypedArray, allocate, elementCount } from './dtype.js';

/** Writes elements `start`, `start` + 1, … of a tensor into all of an array of its dtype. */
export type Fill<D extends DType> = (into: ArrayOf[D], start: number) => void;

/** Of tensors whose contents needn't be in memory: how a part of them is made. */
const fills = new WeakMap<Tensor, Fill<DType>>();

/** Tensors with at most so many elements are made at once, and others piece by piece, each of so many. */
const pieceLength = 1 << 16;

/**
 * A tensor whose contents are computed when they are read: whole and once for `data`, piece by piece for
 * {@link elementsOf} and {@link eachPiece}, which keep nothing. `fill` may be called any number of times and has to give
 * the same values.
 */
export function lazyTensor<D extends DType>(dtype: D, shape: readonly number[], fill: Fill<D>): Tensor<D> {
  const count = elementCount(shape);
  const made = (): ArrayOf[D] => {
    const data = allocate(dtype, count);
    for (let start = 0; start < count; start += pieceLength) {
      fill(data.subarray(start, Math.min(count, start + pieceLength)) as ArrayOf[D], start);
    }
    return data;
  };
  if (count <= pieceLength) return { dtype, shape, data: made() };
  let kept: ArrayOf[D] | undefined;
  const lazy: Tensor<D> = {
    dtype,
    shape,
    get data() {
      return (kept ??= made());
    },
  };
  fills.set(lazy, (into, start) => {
    if (kept === undefined) fill(into as ArrayOf[D], start);
    else into.set(kept.subarray(start, start + into.length));
  });
  return lazy;
}

/** A tensor whose contents are made when they are read for the first time, whole, and kept from then on. */
export function deferredTensor<D extends DType>(dtype: D, shape: readonly number[], make: () => ArrayOf[D]): Tensor<D> {
  let kept: ArrayOf[D] | undefined;
  return {
    dtype,
    shape,
    get data() {
      return (kept ??= make());
    },
  };
}

/** Whether a tensor's contents are made whenever they are read, piece by piece. */
export function isLazy(tensor: Tensor): boolean {
  return fills.has(tensor);
}

/** Elements `start` … `end` − 1, to be read: a view, or of a lazy tensor these alone. */
export function elementsOf<D extends DType>(tensor: Tensor<D>, start: number, end: number): ArrayOf[D] {
  const fill = fills.get(tensor);
  if (fill === undefined) return tensor.data.subarray(start, end) as ArrayOf[D];
  const part = allocate(tensor.dtype, end - start);
  for (let at = 0; at < part.length; at += pieceLength)
    fill(part.subarray(at, at + pieceLength) as TypedArray, start + at);
  return part;
}

/** Goes through a tensor's elements in pieces; a piece is another one's memory as soon as the next comes. */
export function* eachPiece<D extends DType>(tensor: Tensor<D>): Generator<readonly [piece: ArrayOf[D], start: number]> {
  const fill = fills.get(tensor);
  if (fill === undefined) {
    yield [tensor.data, 0];
    return;
  }
  const count = elementCount(tensor.shape);
  const memory = allocate(tensor.dtype, Math.min(count, pieceLength));
  for (let start = 0; start < count; start += pieceLength) {
    const piece = memory.subarray(0, Math.min(count - start, pieceLength)) as ArrayOf[D];
    fill(piece, start);
    yield [piece, start];
  }
}

const spare = new Map<DType, TypedArray[]>();

/** {@link elementsOf} for as long as `use` runs, of at most a piece. */
function borrowed(tensor: Tensor, start: number, end: number, use: (elements: TypedArray) => void): void {
  const fill = fills.get(tensor);
  if (fill === undefined) return use(tensor.data.subarray(start, end));
  const own = spare.get(tensor.dtype) ?? [];
  spare.set(tensor.dtype, own);
  const memory = own.pop() ?? allocate(tensor.dtype, pieceLength);
  const part = memory.subarray(0, end - start);
  fill(part, start);
  use(part);
  own.push(memory);
}

/** A tensor in another dtype (integers truncate as typed arrays do). */
export function castTensor<D extends DType>(dtype: D, from: Tensor): Tensor<D> {
  return lazyTensor(dtype, from.shape, (into, start) =>
    borrowed(from, start, start + into.length, (values) => into.set(values)),
  );
}

/** What a function makes of a tensor's elements, in float64. `of` gets the index among all. */
export function mappedTensor(from: Tensor, of: (value: number, index: number) => number): Tensor<'f64'> {
  return lazyTensor('f64', from.shape, (into, start) =>
    borrowed(from, start, start + into.length, (values) => {
      for (let i = 0; i < into.length; i++) into[i] = of(values[i]!, start + i);
    }),
  );
}

/** Elements `start` … `end` − 1 as a tensor of another shape. */
export function slicedTensor<D extends DType>(
  from: Tensor<D>,
  [start, end]: readonly [number, number],
  shape: readonly number[],
): Tensor<D> {
  const { dtype } = from;
  if (!isLazy(from)) return { dtype, shape, data: from.data.subarray(start, end) as ArrayOf[D] };
  return lazyTensor(dtype, shape, (into, at) => into.set(elementsOf(from, start + at, start + at + into.length)));
}
