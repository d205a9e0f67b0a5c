import { type DType, type Tensor, type TypedArray, allocate, elementCount } from '../base/dtype.js';

/** Row-major strides of a shape. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}

/**
 * Copies `source` into a new row-major array of `shape`, where element (i₀, i₁, …) is read
 * from `offset + Σ i·strides`. Every data movement of the evaluator is one of these.
 */
export function gather(
  dtype: DType,
  source: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): TypedArray {
  const count = elementCount(shape);
  const out = allocate(dtype, count);
  if (count === 0) return out;
  const rank = shape.length;
  if (rank === 0) {
    out[0] = source[offset]!;
    return out;
  }
  const index = new Array<number>(rank).fill(0);
  const inner = shape[rank - 1]!;
  const innerStride = strides[rank - 1]!;
  let at = offset;
  for (let o = 0; o < count; o += inner) {
    for (let i = 0, p = at; i < inner; i++, p += innerStride) out[o + i] = source[p]!;
    for (let axis = rank - 2; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** The data of `t` repeated to `shape` by numpy's broadcasting; `t.data` itself if nothing repeats. */
export function broadcastData(t: Tensor, shape: readonly number[]): TypedArray {
  if (t.data.length === elementCount(shape)) return t.data;
  const own = stridesOf(t.shape);
  const lead = shape.length - t.shape.length;
  const strides = shape.map((_, i) => (i < lead || t.shape[i - lead] === 1 ? 0 : own[i - lead]!));
  return gather(t.dtype, t.data, shape, strides);
}

/** A tensor over `data`, which must fit `shape`. */
export function wrap(dtype: DType, shape: readonly number[], data: TypedArray): Tensor {
  return { dtype, shape, data } as Tensor;
}
