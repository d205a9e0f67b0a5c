import { arrayOf, lazyConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { isFloatType } from '../element-type.js';
import { clippedRounded } from '../rounded.js';
import { type CodesValue, type RealValue, type Value, inAxesOf } from '../values.js';
import { addition } from './arithmetic.js';
import type { OnnxOpTable } from './define.js';
import { negative, rectified } from './function.js';

/** Element-wise functions of one activation: Relu, Clip, Max and Min with a constant or another activation. They commute with any axis order. */
export const activationOps: OnnxOpTable = {
  Relu: { inputs: [1, 1], run: relu },
  Clip: { inputs: [1, 3], run: clip },
  Max: { inputs: [1, 2], run: (c) => extremum(c, 'Max') },
  Min: { inputs: [1, 2], run: (c) => extremum(c, 'Min') },
};

function relu(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind === 'codes') return [narrowed(context, input, 0, Infinity)];
  const held = input.kind === 'rounded' ? clippedRounded(input, 0, Infinity, context.output) : undefined;
  if (held !== undefined) return [held];
  return [rectified(context, context.realInAnyLayout(0))];
}

function clip(context: NodeContext): readonly Value[] {
  const min = bound(context, 1, 'min', -Infinity);
  const max = bound(context, 2, 'max', Infinity);
  if (Number.isNaN(min) || Number.isNaN(max) || min > max) context.badForm(`its bounds are ${min} and ${max}`);
  return [heldValue(context, 0, min, max)];
}

/** The greater (or lesser) of an activation and a number is a Clip; of two activations, a + relu(b − a). */
function extremum(context: NodeContext, which: 'Max' | 'Min'): readonly Value[] {
  if (context.node.inputs.length === 1) return [context.input(0)];
  const inputs = [context.input(0), context.input(1)];
  const index = inputs.findIndex(({ kind }) => kind === 'constant');
  if (index < 0) return [ofTwo(context, which)];
  const constant = context.constant(index, 'the bound');
  const [value, ...others] = constant.data();
  if (value === undefined || Number.isNaN(value) || others.some((other: number) => other !== value))
    context.badForm('its constant is not one number', 'one bound for all values is supported');
  return [heldValue(context, 1 - index, which === 'Max' ? value : -Infinity, which === 'Max' ? Infinity : value)];
}

function ofTwo(context: NodeContext, which: 'Max' | 'Min'): RealValue {
  const [a, b] = [context.realInAnyLayout(0), context.realInAnyLayout(1)];
  const [first, second] = which === 'Max' ? [a, b] : [b, a];
  const more = addition(context, second, negative(context, first, 'negative'), undefined, 'difference');
  const raised = rectified(context, more, 'more');
  if (which === 'Max') return addition(context, a, raised, context.output);
  // the lesser of a and b is a less what b is exceeded by
  return addition(context, a, negative(context, raised, 'less'), context.output);
}

/** An input held within [min, max]. */
function heldValue(context: NodeContext, index: number, min: number, max: number): Value {
  const input = context.input(index);
  if (input.kind === 'codes') return narrowed(context, input, min, max);
  const held = input.kind === 'rounded' ? clippedRounded(input, min, max, context.output) : undefined;
  if (held !== undefined) return held;
  if (input.kind === 'constant') {
    const { name, type, shape } = input;
    // of dequantised codes only the reals are left
    return lazyConstant(name, type, shape, () => {
      return arrayOf(
        type,
        Float64Array.from(input.data(), (x) => Math.min(Math.max(x, min), max)),
      );
    });
  }
  const x = context.realInAnyLayout(index);
  if (min === -Infinity && max === Infinity) return x;
  if (min === 0 && max === Infinity) return rectified(context, x);
  // the largest double stands for a bound that is absent: attributes are finite
  const attrs = { min: Math.max(min, -Number.MAX_VALUE), max: Math.min(max, Number.MAX_VALUE) };
  return inAxesOf(x, context.emit({ kind: 'clip', inputs: [x], attrs, origin: context.output }));
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
