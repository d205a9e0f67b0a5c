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
import { intervalOf } from '../../../network/index.js';
import { dequantiseCodes } from '../quantisation.js';
import { hasIntegers } from '../integers.js';
import { castRounded, roundedValue, wholeValue } from '../rounded.js';
import { tensorConstant } from '../tensor-data.js';
import type { Value } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Ops that compute nothing, and the arithmetic of shapes that exporters leave in a graph. */
export const miscOps: OnnxOpTable = {
  Identity: { inputs: [1, 1], run: (c) => [c.input(0)] },
  Dropout: { inputs: [1, 3], run: dropout },
  Constant: { inputs: [0, 0], run: constant },
  Cast: { inputs: [1, 1], run: cast },
  Shape: { inputs: [1, 1], run: shape },
  ConstantOfShape: { inputs: [1, 1], run: constantOfShape },
  Equal: { inputs: [2, 2], run: (c) => [ofConstants(c, 2, 'bool', ([a, b]) => (a === b ? 1 : 0))] },
  Where: { inputs: [3, 3], run: (c) => [ofConstants(c, 3, undefined, ([which, a, b]) => (which !== 0 ? a! : b!))] },
};

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
  if (input.kind === 'pending' && input.integer && isFloatType(to)) return [input];
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
    const whole = hasIntegers(context.graph.builder, real.op)
      ? wholeValue(context, real)
      : roundedValue(context, real, 'towards_zero');
    const cast = castRounded(whole, to, intervalOf(context.graph.builder, real.op));
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

/** Element by element, of short lists or single numbers: the arithmetic of shapes. */
function ofConstants(
  context: NodeContext,
  count: number,
  type: ElementType | undefined,
  of: (values: readonly number[]) => number,
): Value {
  const operands = Array.from({ length: count }, (_, i) => context.constant(i, `operand ${i}`));
  const longest = operands.reduce((a, b) => (elementCount(b.shape) > elementCount(a.shape) ? b : a));
  const length = elementCount(longest.shape);
  if (length > 1024 || operands.some(({ shape }) => elementCount(shape) !== length && elementCount(shape) !== 1))
    context.badForm('it compares or chooses more than short lists of constants');
  const lists = operands.map((operand) => operand.data());
  const values = Array.from({ length }, (_, i) => of(lists.map((list) => list[list.length === 1 ? 0 : i]!)));
  return smallConstant(context.output, type ?? operands.at(-1)!.type, longest.shape, values);
}
