import { elementCount } from '../../../../base/dtype.js';
import { type Constant, reshapedConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { clippedRounded, roundedValue } from '../../rounded.js';
import { scaledBy } from '../../activation-quantiser.js';
import { type Value, inAxesOf } from '../../values.js';
import { axisOf } from '../attention.js';
import { reducedMean } from '../pool.js';
import { affine } from '../with-constant.js';
import { numberOf, wholeNumberOf } from './attributes.js';
import { integersOf } from './codes.js';

/** Layer normalisation over the last axis: c = x − trunc(mean), σ = ⌊√(⌊mean of c²⌋ + 1)⌋, ⌊(trunc(c·weight/σ) + bias)/D⌋ held in n levels. */
export function integerLayerNorm(context: NodeContext): readonly Value[] {
  return [normalised(context, true)];
}

/** Normalisation by the root of mean squares over the last axis: σ = ⌊√(⌊mean of x²⌋ + 1)⌋, ⌊trunc(x·weight/σ)/D⌋ held in n levels. */
export function integerRmsNorm(context: NodeContext): readonly Value[] {
  return [normalised(context, false)];
}

function normalised(context: NodeContext, centred: boolean): Value {
  const x = context.realInAnyLayout(0);
  const axis = axisOf(context, x, numberOf(context, 'axis', -1));
  const size = context.onnxShape(x)[axis.onnx]!;
  if (axis.onnx !== context.onnxShape(x).length - 1) context.badForm('it normalises another axis than the last');
  const { min, max } = integersOf(context, x);
  const divisor = wholeNumberOf(context, 'D', 1);
  const gamma = perPlace(context, 1, 'the weight', size);
  const beta = centred ? perPlace(context, 2, 'the bias', size) : undefined;
  // all of it must be exact in double precision
  const widest = Math.max(-min, max, max - min);
  const most = Float64Array.from(gamma.data()).reduce((a, w) => Math.max(a, Math.abs(w)), 0);
  if (widest * most >= 2 ** 52 || size * widest ** 2 >= 2 ** 52) context.badForm('its products are beyond 2⁵²');
  const params = {
    gamma: context.param(gamma),
    ...(beta === undefined ? {} : { beta: context.param(beta) }),
  };
  const attrs = { axis: axis.own, centred, divisor };
  const made = context.emit({ kind: 'integer_norm', inputs: [x], attrs, params, suffix: 'norm' });
  const code = { scale: 1, zero: 0, ...signedLevels(context) };
  return context.graph.quantise({ source: inAxesOf(x, made), code }, context.output, context.place);
}

/** A constant of integers, one a place, or one for all. */
function perPlace(context: NodeContext, index: number, what: string, size: number): Constant {
  const constant = context.constant(index, what);
  const count = elementCount(constant.shape);
  if (count !== size) context.shapeMismatch(`"${constant.name}" has ${count} numbers for ${size} values`);
  const bad = constant.data().find((w: number) => !Number.isInteger(w));
  if (bad !== undefined) context.badForm(`${what} "${constant.name}" holds ${bad}, which is no integer`);
  return reshapedConstant(constant, [size]);
}

function signedLevels(context: NodeContext): { readonly min: number; readonly max: number } {
  const levels = wholeNumberOf(context, 'n_levels', 2);
  return { min: -Math.floor(levels / 2), max: Math.ceil(levels / 2) - 1 };
}

/** ⌊(x·weight + bias)·mul/D⌋ held in n levels: what is left of a normalisation without statistics. */
export function integerNoNorm(context: NodeContext): readonly Value[] {
  const x = context.realInAnyLayout(0);
  integersOf(context, x);
  const [mul, D] = [wholeNumberOf(context, 'mul', 1), wholeNumberOf(context, 'D', 1)];
  const weighed = affine(context, 'Mul', x, context.constant(1, 'the weight'), false, undefined, 'weighed');
  const moved = affine(context, 'Add', weighed, context.constant(2, 'the bias'), false, undefined, 'moved');
  const scaled = scaledBy(context, moved, mul / D, 0, undefined);
  // of integers n·mul/D: 1/(2D) above, none is below an integer that it has reached
  const lifted = scaledBy(context, scaled, 1, 1 / (2 * D), undefined);
  const { min, max } = signedLevels(context);
  return [clippedRounded(roundedValue(context, lifted, 'floor'), min, max, context.output)!];
}

/** ⌊mean + ½⌋ over axes. */
export function integerMean(context: NodeContext): readonly Value[] {
  const x = context.realInAnyLayout(0);
  const { min, max } = integersOf(context, x);
  const mean = reducedMean(context, x, undefined);
  const count = elementCount(context.shapeOf(x)) / elementCount(context.shapeOf(mean));
  // of integers n/count: 1/(4·count) above, none is halfway between two integers
  const lifted = scaledBy(context, mean, 1, 1 / (4 * count), undefined);
  return [clippedRounded(roundedValue(context, lifted, 'half_up'), min, max, context.output)!];
}
