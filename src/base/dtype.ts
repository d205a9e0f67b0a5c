/** Element types of tensors, at rest and in programs. `bool` is stored as one byte, 0 or 1. */
export type DType = 'f32' | 'f64' | 'i32' | 'i8' | 'u8' | 'bool';

export interface ArrayOf {
  readonly f32: Float32Array<ArrayBuffer>;
  readonly f64: Float64Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly i8: Int8Array<ArrayBuffer>;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly bool: Uint8Array<ArrayBuffer>;
}
export type TypedArray = ArrayOf[DType];

/** A dense row-major tensor. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: ArrayOf[D];
}

const constructors = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  i8: Int8Array,
  u8: Uint8Array,
  bool: Uint8Array,
} as const;

export const byteWidth: Readonly<Record<DType, number>> = { f32: 4, f64: 8, i32: 4, i8: 1, u8: 1, bool: 1 };

/** What NumPy, PyTorch and onnxruntime call an element type. */
export const longNames = {
  f32: 'float32',
  f64: 'float64',
  i32: 'int32',
  i8: 'int8',
  u8: 'uint8',
  bool: 'bool',
} as const satisfies Readonly<Record<DType, string>>;

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A zero-filled array of `length` elements. */
export function allocate<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  return new constructors[dtype](length) as ArrayOf[D];
}

/** A tensor over `values`, copied and converted to `dtype` (integers truncate as typed arrays do). */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], values: ArrayLike<number>): Tensor<D> {
  const count = elementCount(shape);
  if (count !== values.length) {
    throw new TypeError(`tensor: shape [${shape.join(', ')}] needs ${count} values, got ${values.length}`);
  }
  return { dtype, shape, data: new constructors[dtype](values) as ArrayOf[D] };
}

/** The array type's constructor, to view bytes without a copy. */
export function arrayConstructor(dtype: DType): (typeof constructors)[DType] {
  return constructors[dtype];
}
