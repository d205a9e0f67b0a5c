import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import { reshapedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { type RealValue, batchPlace, inAxesOf, withBatchAt, withBatchFirst } from '../values.js';
import { inShape } from './layout.js';

/** The product of two matrices of activations, as attention has it: [N, …, m, k] by [N, …, k, n]. */
export function matrixProduct(context: NodeContext): RealValue {
  return productOf(context, context.realInAnyLayout(0), context.realInAnyLayout(1), context.output);
}

/** The matrix product of two activations of as many axes; the batch is among the outer ones. */
export function productOf(context: NodeContext, a: RealValue, b: RealValue, origin: string | undefined): RealValue {
  const [left, right] = [context.onnxShape(a), context.onnxShape(b)];
  const text = (shape: readonly number[]): string => `[${shape.map((n) => (Number.isNaN(n) ? 'N' : n)).join(', ')}]`;
  const place = batchPlace(a);
  if (left.length !== right.length || left.length < 2 || batchPlace(b) !== place || place > left.length - 3) {
    context.badForm(
      `it multiplies activations ${text(left)} by ${text(right)}`,
      'two activations are multiplied as matrices [N, …, m, k] by [N, …, k, n], of as many axes',
    );
  }
  const outer = left.slice(0, -2);
  if (left.at(-1) !== right.at(-2) || outer.some((n, i) => !Number.isNaN(n) && n !== right[i])) {
    context.shapeMismatch(`it multiplies activations ${text(left)} by ${text(right)}`);
  }
  const inputs = [a, b].map((value) => context.inOwnLayout(withBatchFirst(value)));
  const made = context.emit({
    kind: 'matmul',
    inputs,
    attrs: { transpose: false },
    origin: place > 0 ? undefined : origin,
  });
  return withBatchAt(made, context.shapeOf(made).length + 1, place);
}

/** The axis of an activation that an attribute names, not the batch's: in the file, and of the network's op. */
function axisOf(context: NodeContext, x: RealValue, given: number): { readonly onnx: number; readonly own: number } {
  const rank = context.onnxShape(x).length;
  const onnx = given < 0 ? given + rank : given;
  if (!(onnx >= 0 && onnx < rank)) context.badAttribute('axis', given);
  const own = (x.perm?.[onnx] ?? onnx) - 1;
  if (own < 0) context.badForm('it acts along the batch axis', 'the batch must stay whole');
  return { onnx, own };
}

/** Softmax along an axis, inside of a network; before opset 13 over all axes from there on. */
export function softmaxOver(
  context: NodeContext,
  x: RealValue,
  given: number,
  opset: number,
  origin: string | undefined,
): RealValue {
  const rank = context.onnxShape(x).length;
  const axis = axisOf(context, x, given);
  const named = origin === undefined ? { suffix: 'softmax' } : { origin };
  if (opset >= 13 || axis.onnx === rank - 1) {
    const made = context.emit({ kind: 'softmax', inputs: [x], attrs: { axis: axis.own }, ...named });
    return inAxesOf(x, made);
  }
  return onTrailingAxes(context, x, axis.onnx, origin, (flat, last) => {
    return context.emit({ kind: 'softmax', inputs: [flat], attrs: { axis: last }, suffix: 'softmax' });
  });
}

/** What a function of all values from an axis on makes of them: it sees these axes as one. */
function onTrailingAxes(
  context: NodeContext,
  x: RealValue,
  axis: number,
  origin: string | undefined,
  act: (flat: RealValue, last: number) => RealValue,
): RealValue {
  const shape = context.onnxShape(x);
  const flat = [...shape.slice(0, axis), elementCount(shape.slice(axis))];
  if (Number.isNaN(flat.at(-1))) context.badForm('it acts along the batch axis', 'the batch must stay whole');
  const joined = inShape(context, x, flat, undefined);
  const own = (joined.perm?.[axis] ?? axis) - 1;
  return inShape(context, inAxesOf(joined, act(joined, own)), shape, origin);
}

/** (x − mean)/√(variance + epsilon)·scale + bias over the axes from `axis` on. */
export function layerNormalization(context: NodeContext): RealValue {
  if (context.isRead(1) || context.isRead(2)) context.badForm('its outputs Mean or InvStdDev are used');
  return normalised(context, context.realInAnyLayout(0), 1, 2, context.output);
}

/** Layer normalisation of a value, scale and bias being the node's inputs with these numbers. */
export function normalised(
  context: NodeContext,
  x: RealValue,
  scale: number,
  bias: number,
  origin: string | undefined,
): RealValue {
  const epsilon = context.float('epsilon', 1e-5);
  if (!(epsilon >= 0)) context.badAttribute('epsilon', epsilon);
  const axis = axisOf(context, x, context.int('axis', -1));
  const shape = context.onnxShape(x);
  const size = elementCount(shape.slice(axis.onnx));
  const params: Record<string, Param> = {};
  for (const [role, i] of [
    ['gamma', scale],
    ['beta', bias],
  ] as const) {
    const constant = context.optionalConstant(i, role === 'gamma' ? 'the scale' : 'the bias');
    if (constant === undefined) continue;
    const count = elementCount(constant.shape);
    if (count !== size) context.shapeMismatch(`"${constant.name}" has ${count} numbers for ${size} values`);
    params[role] = context.param(reshapedConstant(constant, [size]));
  }
  const normal = (
    value: RealValue,
    along: number,
    named: { origin?: string | undefined; suffix?: string },
  ): RealValue =>
    context.emit({ kind: 'layernorm', inputs: [value], attrs: { axis: along, epsilon }, params, ...named });
  if (axis.onnx === shape.length - 1) {
    const made = normal(x, axis.own, origin === undefined ? { suffix: 'norm' } : { origin });
    return inAxesOf(x, made);
  }
  return onTrailingAxes(context, x, axis.onnx, origin, (flat, last) => normal(flat, last, { suffix: 'norm' }));
}
