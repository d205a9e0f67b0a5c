import { arrayOf, lazyConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { isFloatType } from '../element-type.js';
import { clippedRounded } from '../rounded.js';
import type { CodesValue, RealValue, Value } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Element-wise functions of one activation: Relu, Clip. They commute with any axis order. */
export const activationOps: OnnxOpTable = {
  Relu: { inputs: [1, 1], run: relu },
  Clip: { inputs: [1, 3], run: clip },
};

function relu(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind === 'codes') return [narrowed(context, input, 0, Infinity)];
  const held = input.kind === 'rounded' ? clippedRounded(input, 0, Infinity, context.output) : undefined;
  if (held !== undefined) return [held];
  const x = context.realInAnyLayout(0);
  return [pointwise(x, context.emit({ kind: 'relu', inputs: [x], origin: context.output }))];
}

function clip(context: NodeContext): readonly Value[] {
  const min = bound(context, 1, 'min', -Infinity);
  const max = bound(context, 2, 'max', Infinity);
  const input = context.input(0);
  if (Number.isNaN(min) || Number.isNaN(max) || min > max) context.badForm(`its bounds are ${min} and ${max}`);
  if (input.kind === 'codes') return [narrowed(context, input, min, max)];
  const held = input.kind === 'rounded' ? clippedRounded(input, min, max, context.output) : undefined;
  if (held !== undefined) return [held];
  if (input.kind === 'constant') {
    const { name, type, shape } = input;
    // of dequantised codes only the reals are left
    const clipped = lazyConstant(name, type, shape, () => {
      return arrayOf(
        type,
        Float64Array.from(input.data(), (x) => Math.min(Math.max(x, min), max)),
      );
    });
    return [clipped];
  }
  const x = context.realInAnyLayout(0);
  if (min === -Infinity && max === Infinity) return [x];
  if (min === 0 && max === Infinity) {
    return [pointwise(x, context.emit({ kind: 'relu', inputs: [x], origin: context.output }))];
  }
  // the largest double stands for a bound that is absent: attributes are finite
  const attrs = { min: Math.max(min, -Number.MAX_VALUE), max: Math.min(max, Number.MAX_VALUE) };
  return [pointwise(x, context.emit({ kind: 'clip', inputs: [x], attrs, origin: context.output }))];
}

/** Codes held in a smaller range: what a Clip between Q and DQ means (Brevitas' bit widths, PyTorch's 127). */
function narrowed(context: NodeContext, codes: CodesValue, min: number, max: number): CodesValue {
  const range = { min: Math.max(codes.code.min, Math.ceil(min)), max: Math.min(codes.code.max, Math.floor(max)) };
  if (range.min > range.max)
    context.badForm(`no code of ${codes.code.min} … ${codes.code.max} lies between ${min} and ${max}`);
  return { ...codes, code: { ...codes.code, ...range }, tensor: context.output };
}

/** A bound as input (opset 11 and later) or attribute. float32 exporters write ±3.4e38 for none. */
function bound(context: NodeContext, input: number, attribute: string, fallback: number): number {
  const constant = context.optionalConstant(input, `the bound ${attribute}`);
  const value = constant === undefined ? context.float(attribute, fallback) : (constant.data()[0] ?? fallback);
  if (constant !== undefined && !isFloatType(constant.type)) return value;
  return Math.abs(value) >= 3.4e38 ? Math.sign(value) * Infinity : value;
}

function pointwise(x: RealValue, result: RealValue): RealValue {
  return x.perm === undefined ? result : { ...result, perm: x.perm };
}
