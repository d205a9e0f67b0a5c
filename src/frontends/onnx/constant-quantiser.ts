import { fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { type CodeRounding, roundCode } from './code-rounding.js';
import { type Constant, arrayOf, dequantised, elementReader, lazyConstant } from './constant.js';
import type { NodeContext } from './context.js';
import { type ElementType, codeRange } from './element-type.js';

/** Codes from min to max, which need not be integers; undefined for −1 and 1, by the sign. */
export type CodeRange = { readonly min: number; readonly max: number } | undefined;

/** How a constant is quantised: scale, zero point and bit width broadcast to it. */
interface ConstantQuantiser {
  readonly scale: Constant;
  readonly zero: Constant;
  readonly bits: Constant;
  readonly rangeOf: (bits: number) => CodeRange;
  readonly rounding: CodeRounding;
}

const codeTypes: readonly ElementType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32'];

/**
 * A constant quantised: y = round(clip(x/scale + zero, min, max)) and (y − zero)·scale, in float32 as the operator has it.
 * Integer codes stay codes with their scales where these are of the tensor or of one axis; else the reals are kept.
 */
export function quantisedConstant(context: NodeContext, real: Constant, quantiser: ConstantQuantiser): Constant {
  const { scale, zero, bits, rangeOf, rounding } = quantiser;
  const { shape } = real;
  const step = broadcastReader(context, scale, shape);
  const offset = broadcastReader(context, zero, shape);
  const width = broadcastReader(context, bits, shape);
  const single = real.type === 'double' && real.quantised === undefined ? (x: number) => x : Math.fround;
  const code = (x: number, i: number): number => {
    if (!Number.isFinite(x)) fail('onnx/not-finite', { name: real.name, index: i, value: String(x) }, context.place);
    const range = rangeOf(width(i));
    const value = single(single(x / step(i)) + offset(i));
    if (range === undefined) return value >= 0 ? 1 : -1;
    return roundCode(rounding, Math.max(Math.min(value, range.max), range.min));
  };
  const type = codeType(bits, rangeOf);
  const axis = commonAxis([scale, zero], shape.length);
  if (type === undefined || axis === undefined) {
    return lazyConstant(context.output, 'float', shape, () => {
      const element = elementReader(real);
      const count = elementCount(shape);
      return Float32Array.from({ length: count }, (_, i) =>
        single(single(code(single(element(i)), i) - offset(i)) * step(i)),
      );
    });
  }
  const codes = lazyConstant(context.output, type, shape, () => {
    const element = elementReader(real);
    const result = arrayOf(type, elementCount(shape));
    for (let i = 0; i < result.length; i++) result[i] = code(single(element(i)), i);
    return result;
  });
  const count = Math.max(elementCount(scale.shape), elementCount(zero.shape));
  const listed = (constant: Constant): number[] => {
    const values = Array.from(constant.data());
    return values.length === count ? values : Array<number>(count).fill(values[0]!);
  };
  return dequantised(codes, { scale: listed(scale), zero: listed(zero), axis }, context.output);
}

/** The narrowest type that holds every code. */
function codeType(bits: Constant, rangeOf: (bits: number) => CodeRange): ElementType | undefined {
  const ranges = Array.from(bits.data(), (width) => rangeOf(width) ?? { min: -1, max: 1 });
  const least = Math.min(...ranges.map(({ min }) => Math.floor(min)));
  const most = Math.max(...ranges.map(({ max }) => Math.ceil(max)));
  return codeTypes.find((type) => {
    const held = codeRange(type)!;
    return held.min <= least && most <= held.max;
  });
}

/** The one axis along which they vary (0 where none does) of a tensor with `rank` axes; undefined if there are several. */
function commonAxis(constants: readonly Constant[], rank: number): number | undefined {
  const axes = constants.flatMap(({ shape }) => shape.flatMap((n, i) => (n === 1 ? [] : [i + rank - shape.length])));
  return new Set(axes).size > 1 ? undefined : (axes[0] ?? 0);
}

/** Reads a constant as if it had `shape`, to which it broadcasts. */
export function broadcastReader(
  context: NodeContext,
  constant: Constant,
  shape: readonly number[],
): (i: number) => number {
  const data = constant.data();
  const own = [...Array<number>(Math.max(0, shape.length - constant.shape.length)).fill(1), ...constant.shape];
  if (elementCount(own) === 1) return () => data[0]!;
  if (own.length !== shape.length || own.some((n, axis) => n !== 1 && n !== shape[axis])) {
    context.shapeMismatch(
      `"${constant.name}" [${constant.shape.join(', ')}] doesn't fit a tensor [${shape.join(', ')}]`,
    );
  }
  const axes = own.flatMap((n, axis) => {
    const inner = elementCount(shape.slice(axis + 1));
    return n === 1 ? [] : [{ n, inner, stride: elementCount(own.slice(axis + 1)) }];
  });
  return (i) => {
    let at = 0;
    for (const { n, inner, stride } of axes) at += (Math.floor(i / inner) % n) * stride;
    return data[at]!;
  };
}
