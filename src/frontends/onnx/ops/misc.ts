import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import { arrayOf, lazyConstant, smallConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import {
  type ElementType,
  codeRange,
  elementTypeName,
  elementTypeNumbers,
  elementTypeOf,
  isFloatType,
} from '../element-type.js';
import { dequantiseCodes } from '../quantisation.js';
import { boundsOf, hasIntegers } from '../integers.js';
import { castRounded, roundedValue, wholeValue } from '../rounded.js';
import { tensorConstant } from '../tensor-data.js';
import { type Value, isDynamicBias } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Ops that compute nothing, and the arithmetic of shapes that exporters leave in a graph. */
export const miscOps: OnnxOpTable = {
  Identity: { inputs: [1, 1], run: (c) => [c.input(0)] },
  Dropout: { inputs: [1, 3], run: dropout },
  Constant: { inputs: [0, 0], run: constant },
  Cast: { inputs: [1, 1], run: cast },
  Shape: { inputs: [1, 1], run: shape },
  ConstantOfShape: { inputs: [1, 1], run: constantOfShape },
  Equal: comparison((a, b) => a === b),
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Xor: comparison((a, b) => (a !== 0) !== (b !== 0)),
  Not: { inputs: [1, 1], run: (c) => [ofConstants(c, 1, 'bool', ([a]) => (a === 0 ? 1 : 0))] },
  Where: { inputs: [3, 3], run: (c) => [ofConstants(c, 3, undefined, ([which, a, b]) => (which !== 0 ? a! : b!))] },
  Range: { inputs: [3, 3], run: range },
  Trilu: { inputs: [1, 2], run: triangle },
};

/** A comparison of constants: masks of attention, and the arithmetic of shapes. */
function comparison(holds: (a: number, b: number) => boolean): OnnxOpTable[string] {
  return { inputs: [2, 2], run: (c) => [ofConstants(c, 2, 'bool', ([a, b]) => (holds(a!, b!) ? 1 : 0))] };
}

/** Numbers that constants are folded to, at most. */
const mostFolded = 1 << 16;

function range(context: NodeContext): readonly Value[] {
  const [start, limit, delta] = ['start', 'limit', 'delta'].map((what, i) => context.constant(i, what));
  const [from, to, by] = [start!, limit!, delta!].map((one) => one.data()[0] ?? NaN) as [number, number, number];
  const count = Math.max(0, Math.ceil((to - from) / by));
  if (!(count <= mostFolded)) context.badForm(`it counts from ${from} to ${to} by ${by}`, 'small constants only');
  const values = Array.from({ length: count }, (_, i) => from + i * by);
  return [smallConstant(context.output, start!.type, [count], values)];
}

/** What lies above (or below) a diagonal of the last two axes of a constant; zeros elsewhere. */
function triangle(context: NodeContext): readonly Value[] {
  const input = context.constant(0, 'the input');
  const diagonal = context.optionalConstant(1, 'k')?.data()[0] ?? 0;
  const upper = context.int('upper', 1) !== 0;
  const [rows, columns] = input.shape.slice(-2) as [number, number];
  if (input.shape.length < 2 || elementCount(input.shape) > mostFolded)
    context.badForm(`its input is [${input.shape.join(', ')}]`, 'small constants of two axes or more');
  const values = Array.from(input.data(), (value: number, i) => {
    const [row, column] = [Math.floor(i / columns) % rows, i % columns];
    return (upper ? column - row >= diagonal : column - row <= diagonal) ? value : 0;
  });
  return [smallConstant(context.output, input.type, input.shape, values)];
}

function dropout(context: NodeContext): readonly Value[] {
  const training = context.optionalConstant(2, 'training_mode')?.data()[0] ?? 0;
  if (training !== 0) context.badForm('it is in training mode', 'export the network for inference (model.eval())');
  if (context.isRead(1)) context.badForm('its output mask is used');
  return [context.input(0)];
}

function constant(context: NodeContext): readonly Value[] {
  const { attributes } = context.node;
  const value = attributes.get('value')?.t;
  if (value !== undefined)
    return [{ ...tensorConstant(value, context.place, context.graph.readExternal), name: context.output }];
  const floats = attributes.get('value_floats')?.floats;
  if (floats !== undefined) return [smallConstant(context.output, 'float', [floats.length], floats)];
  const ints = attributes.get('value_ints')?.ints;
  if (ints !== undefined) return [smallConstant(context.output, 'int64', [ints.length], ints)];
  const float = attributes.get('value_float')?.f;
  if (float !== undefined) return [smallConstant(context.output, 'float', [], [float])];
  const int = attributes.get('value_int')?.i;
  if (int !== undefined) return [smallConstant(context.output, 'int64', [], [int])];
  return context.badForm(`it has none of value, value_float, value_floats, value_int, value_ints`);
}

function cast(context: NodeContext): readonly Value[] {
  const wanted = context.int('to', 0);
  // every half is a float: rounding to halves isn't imported
  const to = elementTypeOf(wanted === elementTypeNumbers.half ? elementTypeNumbers.float : wanted);
  if (to === undefined) {
    fail('onnx/data-type', { what: 'the target of the cast', type: elementTypeName(wanted) }, context.place);
  }
  const input = context.input(0);
  if ((input.kind === 'pending' && input.integer && isFloatType(to)) || isDynamicBias(input)) return [input];
  if (input.kind === 'constant') {
    if (input.type === to || (input.quantised !== undefined && isFloatType(to))) return [input];
    return [
      lazyConstant(context.output, to, input.shape, () => {
        const data = input.data();
        return arrayOf(to, isFloatType(to) ? data : Array.from(data, Math.trunc));
      }),
    ];
  }
  if (input.kind === 'rounded') {
    const cast = castRounded(input, to);
    return [cast ?? context.badForm(`it casts to ${to}, which doesn't hold all of its values`, 'put a Clip before it')];
  }
  if (input.kind === 'real' && isFloatType(to)) return [input];
  if (input.kind === 'real' || (input.kind === 'pending' && !input.integer)) {
    const real = context.realInAnyLayout(0);
    const whole = hasIntegers(context.graph, real.op)
      ? wholeValue(context, real)
      : roundedValue(context, real, 'towards_zero');
    const cast = castRounded(whole, to, boundsOf(context.graph, real.op));
    return [cast ?? context.badForm(`it casts to ${to}, which doesn't hold all of its values`, 'put a Clip before it')];
  }
  if (input.kind === 'codes' && input.input === true && (to === 'int64' || to === input.elementType)) return [input];
  if (input.kind === 'codes') {
    // the codes as floats: what they stand for under scale 1 and zero point 0
    if (isFloatType(to))
      return [dequantiseCodes(context, input, { scale: [1], zero: [0], type: undefined, rank: 0 }, context.output)];
    const { min, max } = codeRange(to) ?? { min: 0, max: 0 };
    if (min <= input.code.min && input.code.max <= max) return [{ ...input, elementType: to, tensor: context.output }];
    context.badForm(
      `it casts the codes ${input.code.min} … ${input.code.max} to ${to}, which doesn't hold them all`,
      'quantise to that type with QuantizeLinear',
    );
  }
  return context.badForm(`it casts an activation to ${to}`, 'activations are quantised by QuantizeLinear');
}

function shape(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const dims = input.kind === 'constant' ? input.shape : context.onnxShape(context.realOrCodes(0).value);
  const at = (n: number): number => Math.min(Math.max(n < 0 ? n + dims.length : n, 0), dims.length);
  const part = dims.slice(at(context.int('start', 0)), at(context.int('end', dims.length)));
  return [smallConstant(context.output, 'int64', [part.length], part)];
}

function constantOfShape(context: NodeContext): readonly Value[] {
  const dims = context.integers(0, 'the shape') ?? [];
  const count = elementCount(dims);
  if (!(count <= 1 << 16) || dims.some((n) => n < 0))
    context.badForm(`its shape is [${dims.join(', ')}]`, 'small constants only');
  const attribute = context.node.attributes.get('value')?.t;
  const value = attribute === undefined ? undefined : tensorConstant(attribute, context.place, undefined);
  return [
    smallConstant(context.output, value?.type ?? 'float', dims, Array<number>(count).fill(value?.data()[0] ?? 0)),
  ];
}

/** Element by element, of small constants that broadcast to each other: the arithmetic of shapes, and masks. */
function ofConstants(
  context: NodeContext,
  count: number,
  type: ElementType | undefined,
  of: (values: readonly number[]) => number,
): Value {
  const operands = Array.from({ length: count }, (_, i) => context.constant(i, `operand ${i}`));
  const rank = Math.max(...operands.map(({ shape }) => shape.length));
  const shapes = operands.map(({ shape }) => [...Array<number>(rank - shape.length).fill(1), ...shape]);
  const shape = Array.from({ length: rank }, (_, axis) => shapes.map((one) => one[axis]!).find((n) => n !== 1) ?? 1);
  if (shapes.some((one) => one.some((n, axis) => n !== 1 && n !== shape[axis])))
    context.shapeMismatch(`its operands are ${operands.map((one) => `[${one.shape.join(', ')}]`).join(' and ')}`);
  const length = elementCount(shape);
  if (length > mostFolded) context.badForm(`it compares or chooses ${length} constants`, 'small constants only');
  const lists = operands.map((operand) => operand.data());
  const places = shapes.map((one) => placesIn(one, shape));
  const values = Array.from({ length }, (_, i) => of(lists.map((list, n) => list[places[n]!(i)]!)));
  return smallConstant(context.output, type ?? operands.at(-1)!.type, shape, values);
}

/** Where an element of a broadcast result lies in an operand. */
function placesIn(own: readonly number[], shape: readonly number[]): (i: number) => number {
  const strides = own.map((n, axis) => (n === 1 ? 0 : elementCount(own.slice(axis + 1))));
  const steps = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  return (i) => strides.reduce((at, stride, axis) => at + stride * (Math.floor(i / steps[axis]!) % shape[axis]!), 0);
}
