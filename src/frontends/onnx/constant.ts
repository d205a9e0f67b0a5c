import { elementCount } from '../../base/dtype.js';
import type { ElementType } from './element-type.js';

export type NumericArray =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

/** (code − zero)·scale with one scale, or one per index of `axis`. */
interface WeightQuant {
  readonly scale: readonly number[];
  readonly zero: readonly number[];
  readonly axis: number;
}

/**
 * A value known at import. `data` decodes on demand, so that big weights live once, where they
 * end up. int64 values are doubles; NaN in one stands for the symbolic batch size (`Shape`).
 */
export interface Constant {
  readonly kind: 'constant';
  /** The ONNX tensor it comes from, for messages. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly data: () => NumericArray;
  /** Reads single elements where that saves a copy of all of them: float contents that lie unaligned in the file. */
  readonly reader?: (() => (index: number) => number) | undefined;
  /** Writes elements from `start` on into all of an array: of contents that need not be in memory a second time. */
  readonly fill?: ((into: NumericArray, start: number) => void) | undefined;
  /** `data` gives a view of the file. */
  readonly isView?: true;
  /** For a dequantised constant: the codes it was made from. `data` gives the reals in double precision. */
  readonly quantised?: { readonly codes: Constant; readonly quant: WeightQuant };
}

const keepUpTo = 1 << 16;

/** Reads a constant's elements one by one. */
export function elementReader(constant: Constant): (index: number) => number {
  if (constant.reader !== undefined) return constant.reader();
  const data = constant.data();
  return (index) => data[index]!;
}

/** A constant whose contents are computed when first needed, and kept if small. */
export function lazyConstant(
  name: string,
  type: ElementType,
  shape: readonly number[],
  compute: () => NumericArray,
): Constant {
  const small = elementCount(shape) <= keepUpTo;
  let kept: NumericArray | undefined;
  const data = (): NumericArray => {
    if (kept !== undefined) return kept;
    const computed = compute();
    if (small) kept = computed;
    return computed;
  };
  return { kind: 'constant', name, shape, type, data };
}

export function smallConstant(
  name: string,
  type: ElementType,
  shape: readonly number[],
  values: readonly number[],
): Constant {
  return lazyConstant(name, type, shape, () => arrayOf(type, values));
}

/** The constant with its contents computed, so that what it was made from is not asked again. */
export function settledConstant(constant: Constant): Constant {
  const { name, shape, type, quantised } = constant;
  if (quantised !== undefined) return dequantised(settledConstant(quantised.codes), quantised.quant, name);
  const data = constant.data();
  return { kind: 'constant', name, shape, type, data: () => data };
}

/** The array type contents of this element type are held in. */
export function arrayOf(type: ElementType, from: number | ArrayLike<number>): NumericArray {
  const make = <T>(ctor: { new (n: number): T; from(a: ArrayLike<number>): T }): T =>
    typeof from === 'number' ? new ctor(from) : ctor.from(from);
  switch (type) {
    case 'float':
      return make(Float32Array) as Float32Array<ArrayBuffer>;
    case 'double':
    case 'int64':
      return make(Float64Array) as Float64Array<ArrayBuffer>;
    case 'int8':
    case 'int4':
      return make(Int8Array) as Int8Array<ArrayBuffer>;
    case 'uint8':
    case 'uint4':
    case 'bool':
      return make(Uint8Array) as Uint8Array<ArrayBuffer>;
    case 'int16':
      return make(Int16Array) as Int16Array<ArrayBuffer>;
    case 'uint16':
      return make(Uint16Array) as Uint16Array<ArrayBuffer>;
    case 'int32':
      return make(Int32Array) as Int32Array<ArrayBuffer>;
  }
}

/** The constant of the reals that quantised codes stand for. */
export function dequantised(codes: Constant, quant: WeightQuant, name: string): Constant {
  const inner = elementCount(codes.shape.slice(quant.axis + 1));
  const count = quant.scale.length;
  const constant = lazyConstant(name, 'double', codes.shape, () => {
    const data = codes.data();
    const real = new Float64Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const channel = count === 1 ? 0 : Math.floor(i / inner) % count;
      real[i] = (data[i]! - quant.zero[channel]!) * quant.scale[channel]!;
    }
    return real;
  });
  return { ...constant, quantised: { codes, quant } };
}

export function reshapedConstant(constant: Constant, shape: readonly number[]): Constant {
  const { quantised } = constant;
  if (quantised === undefined) return { ...constant, shape };
  const { codes, quant } = quantised;
  if (quant.scale.length === 1) return dequantised({ ...codes, shape }, { ...quant, axis: 0 }, constant.name);
  // the axis keeps its meaning when the same elements come before and after it
  const before = elementCount(codes.shape.slice(0, quant.axis));
  for (let axis = 0, product = 1; axis < shape.length; product *= shape[axis]!, axis++) {
    if (product === before && shape[axis] === codes.shape[quant.axis]) {
      return dequantised({ ...codes, shape }, { ...quant, axis }, constant.name);
    }
  }
  return { ...lazyConstant(constant.name, 'double', shape, constant.data) };
}

/** Axes permuted: result axis i is source axis perm[i]. */
export function transposedConstant(constant: Constant, perm: readonly number[]): Constant {
  const { quantised } = constant;
  if (quantised !== undefined) {
    const axis = Math.max(0, perm.indexOf(quantised.quant.axis));
    return dequantised(transposedConstant(quantised.codes, perm), { ...quantised.quant, axis }, constant.name);
  }
  const shape = perm.map((axis) => constant.shape[axis]!);
  const strides = constant.shape.map((_, axis) => elementCount(constant.shape.slice(axis + 1)));
  const steps = perm.map((axis) => strides[axis]!);
  const fill = (into: NumericArray, start: number): void => {
    const source = elementReader(constant);
    const index = unravelled(start, shape);
    for (let i = 0, from = index.reduce((sum, n, axis) => sum + n * steps[axis]!, 0); i < into.length; i++) {
      into[i] = source(from);
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        from += steps[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        from -= steps[axis]! * shape[axis]!;
        index[axis] = 0;
      }
    }
  };
  const transposed = lazyConstant(constant.name, constant.type, shape, () => {
    const result = arrayOf(constant.type, elementCount(shape));
    fill(result, 0);
    return result;
  });
  return constant.fill !== undefined || constant.isView === true ? { ...transposed, fill } : transposed;
}

/** The index by axis of the element with a number in row-major order. */
function unravelled(at: number, shape: readonly number[]): number[] {
  const index = shape.map(() => 0);
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}
