import { fail } from '../../base/diagnostics/index.js';
import { elementCount } from '../../base/dtype.js';
import { roundHalfEven } from '../../base/rounding.js';
import { type Constant, arrayOf, dequantised, elementReader, lazyConstant } from './constant.js';
import type { NodeContext } from './context.js';
import { type ElementType, codeRange, isFloatType } from './element-type.js';
import type { Param } from '../../network/types.js';
import { type CodesValue, type RealValue, inAxesOf } from './values.js';

/** A scale and zero point as a file gives them: one of each, or one per index of some axis. */
export interface QuantParams {
  readonly scale: readonly number[];
  readonly zero: readonly number[];
  /** Missing where the file gives no zero point. */
  readonly type: ElementType | undefined;
  /** Rank of the scale; above 1 only in blocked quantisation. */
  readonly rank: number;
}

/** The least normal float32: with a smaller scale quotients overflow. */
export const leastScale = 2 ** -126;

/** Reads and checks inputs `scaleIndex` and `zeroIndex`: constant, finite, positive, no denormal numbers. */
export function quantParams(context: NodeContext, scaleIndex: number, zeroIndex: number): QuantParams {
  const scale = context.constant(scaleIndex, 'a scale');
  const zero = context.optionalConstant(zeroIndex, 'a zero point');
  if (!isFloatType(scale.type)) {
    fail('onnx/data-type', { what: `scale "${scale.name}"`, type: scale.type }, context.place, {
      help: 'scales are float32',
    });
  }
  if (zero !== undefined && codeRange(zero.type) === undefined) {
    fail('onnx/data-type', { what: `zero point "${zero.name}"`, type: zero.type }, context.place, {
      help: 'zero points have the type of the codes: int8, uint8, int16, uint16, int4, uint4 or int32',
    });
  }
  const scales = Array.from(scale.data());
  for (const [index, value] of scales.entries()) {
    if (!(value >= leastScale) || !Number.isFinite(value)) {
      fail('onnx/bad-scale', { name: scale.name, index, value: String(value) }, context.place);
    }
  }
  const zeros = zero === undefined ? scales.map(() => 0) : Array.from(zero.data());
  if (scales.length === 0 || (zeros.length !== scales.length && zeros.length !== 1)) {
    context.shapeMismatch(
      `${scales.length} scale(s) "${scale.name}" but ${zeros.length} zero point(s) "${zero?.name ?? ''}"`,
    );
  }
  const spread = zeros.length === scales.length ? zeros : scales.map(() => zeros[0]!);
  const rank = scale.shape.filter((n) => n !== 1).length;
  return { scale: scales, zero: spread, type: zero?.type, rank };
}

/** One of each where all are equal. */
function uniform({ scale, zero, ...rest }: QuantParams): QuantParams {
  const alike = scale.every((s) => s === scale[0]) && zero.every((z) => z === zero[0]);
  return alike ? { ...rest, scale: scale.slice(0, 1), zero: zero.slice(0, 1) } : { ...rest, scale, zero };
}

/** Whether numbers stand for the channels of a value, seen along an ONNX axis. */
function areChannels(context: NodeContext, value: RealValue, axis: number, count: number): boolean {
  const positive = axis < 0 ? axis + context.onnxShape(value).length : axis;
  return (value.perm?.[positive] ?? positive) === 1 && context.shapeOf(value)[0] === count;
}

function refusePerChannel(context: NodeContext, count: number, help: string): never {
  return fail('onnx/per-axis-activation', { count }, context.place, { help });
}

/** An activation's codes; the op is made when they are used. */
export function quantiseReal(
  context: NodeContext,
  source: RealValue,
  scaleIndex: number,
  zeroIndex: number,
  fallbackType: ElementType = 'uint8',
): CodesValue {
  const params = uniform(quantParams(context, scaleIndex, zeroIndex));
  const elementType = params.type ?? fallbackType;
  const range = codeRange(elementType)!;
  const { scale, zero } = params;
  const codes = { kind: 'codes', elementType, tensor: context.output } as const;
  if (scale.length === 1) return { ...codes, source, code: { scale: scale[0]!, zero: zero[0]!, ...range } };
  if (!areChannels(context, source, context.int('axis', 1), scale.length))
    refusePerChannel(context, scale.length, 'of an activation, only its channels may have a scale each');
  if (zero.some((z) => z !== zero[0])) {
    const help =
      'with a scale per channel the zero points must be equal: quantise activations symmetrically, or per tensor';
    refusePerChannel(context, scale.length, help);
  }
  // the factors go into the layer in front; what is quantised then has the scale 1
  const scaled = context.emit({
    kind: 'affine',
    inputs: [source],
    params: { scale: channelParam(scale.map((s) => 1 / s)) },
    suffix: 'unit',
  });
  const { perm } = source;
  return {
    ...codes,
    source: perm === undefined ? scaled : { ...scaled, perm },
    code: { scale: 1, zero: zero[0]!, ...range },
    channels: scale,
  };
}

function channelParam(values: readonly number[]): Param {
  return { tensor: { dtype: 'f64', shape: [values.length], data: Float64Array.from(values) } };
}

/**
 * The real that codes stand for under this scale and zero point. Usually they are the quantiser's
 * own; where they differ, an affine op says so: ((Q − z₁)·s₁)·(s₂/s₁) + (z₁ − z₂)·s₂ = (Q − z₂)·s₂.
 */
export function dequantiseCodes(
  context: NodeContext,
  codes: CodesValue,
  params: QuantParams,
  origin: string,
): RealValue {
  const { scale: scales, zero: zeros } = uniform(params);
  const { code } = codes;
  if (params.type !== undefined && params.type !== codes.elementType) {
    fail('onnx/data-type', { what: `zero point of "${codes.tensor}"`, type: params.type }, context.place, {
      help: `the codes are ${codes.elementType}; the zero point must be so too`,
    });
  }
  if (codes.input === true && scales.length === 1)
    return dequantisedInput(context, codes, scales[0]!, zeros[0]!, origin);
  const same = scales.length === 1 && scales[0] === code.scale && zeros[0] === code.zero;
  const quantised = context.graph.materialise(codes, same ? origin : codes.tensor, context.place);
  if (same) return quantised;
  if (scales.length > 1 && !areChannels(context, quantised, context.int('axis', 1), scales.length))
    refusePerChannel(context, scales.length, 'of an activation, only its channels may have a scale each');
  const shift = scales.map((scale, c) => (code.zero - zeros[c]!) * scale);
  const result = context.emit({
    kind: 'affine',
    inputs: [quantised],
    params: {
      scale: channelParam(scales.map((scale) => scale / code.scale)),
      ...(shift.every((s) => s === 0) ? {} : { shift: channelParam(shift) }),
    },
    suffix: 'rescale',
    origin,
  });
  return inAxesOf(quantised, result);
}

/** An input of integers q as the reals (q − zero)·scale, and their quantiser, which is the encoder's. */
function dequantisedInput(
  context: NodeContext,
  codes: CodesValue,
  scale: number,
  zero: number,
  origin: string,
): RealValue {
  const scalar = (value: number): { tensor: { dtype: 'f64'; shape: [1]; data: Float64Array<ArrayBuffer> } } => ({
    tensor: { dtype: 'f64', shape: [1], data: Float64Array.of(value) },
  });
  if (scale === 1 && zero === 0) return context.graph.materialise(codes, origin, context.place);
  const params = { scale: scalar(scale), shift: scalar(-zero * scale) };
  const real = context.emit({ kind: 'affine', inputs: [codes.source], params, suffix: 'reals' });
  const source = inAxesOf(codes.source, real);
  const { input: _, ...inner } = codes;
  return context.graph.materialise({ ...inner, source, code: { ...codes.code, scale, zero } }, origin, context.place);
}

/** Codes of a constant: saturate(round_half_even(x/s) + z), x and the division in float32 as the operator has them. */
export function quantiseConstant(context: NodeContext, real: Constant, params: QuantParams, axis: number): Constant {
  const type = params.type ?? 'uint8';
  const { min, max } = codeRange(type)!;
  checkAxis(context, real.shape, params, axis);
  const inner = params.scale.length === 1 ? 1 : elementCount(real.shape.slice(axis + 1));
  return lazyConstant(context.output, type, real.shape, () => {
    const element = elementReader(real);
    const codes = arrayOf(type, elementCount(real.shape));
    for (let i = 0; i < codes.length; i++) {
      const value = Math.fround(element(i));
      if (!Number.isFinite(value)) {
        fail('onnx/not-finite', { name: real.name, index: i, value: String(value) }, context.place);
      }
      const channel = params.scale.length === 1 ? 0 : Math.floor(i / inner) % params.scale.length;
      const code = roundHalfEven(Math.fround(value / params.scale[channel]!)) + params.zero[channel]!;
      codes[i] = Math.min(Math.max(code, min), max);
    }
    return codes;
  });
}

/** The reals of constant codes, which stay codes with a scale: weights and biases. */
export function dequantiseConstant(context: NodeContext, codes: Constant, params: QuantParams, axis: number): Constant {
  if (codeRange(codes.type) === undefined || codes.quantised !== undefined) {
    fail(
      'onnx/data-type',
      { what: `"${codes.name}"`, type: codes.quantised === undefined ? codes.type : 'float' },
      context.place,
      {
        help: 'DequantizeLinear reads integer codes',
      },
    );
  }
  checkAxis(context, codes.shape, params, axis);
  return dequantised(
    codes,
    { scale: params.scale, zero: params.zero, axis: params.scale.length === 1 ? 0 : axis },
    context.output,
  );
}

function checkAxis(context: NodeContext, shape: readonly number[], params: QuantParams, axis: number): void {
  if (params.rank > 1) fail('onnx/blocked-quantisation', {}, context.place);
  if (params.scale.length === 1) return;
  if (shape[axis] !== params.scale.length) {
    context.shapeMismatch(
      `${params.scale.length} scales for axis ${axis} of [${shape.join(', ')}], which has ${shape[axis] ?? 'no'} entries`,
    );
  }
}
