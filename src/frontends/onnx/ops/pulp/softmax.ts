import type { SoftmaxForm } from '../../../../network/index.js';
import type { NodeContext } from '../../context.js';
import { type Value, inAxesOf } from '../../values.js';
import { axisOf } from '../attention.js';
import { numberOf, wholeNumberOf } from './attributes.js';
import { integersOf, stepsOf } from './codes.js';

/**
 * Softmax of I-BERT over the last axis: with d = max x − x, z = ⌊d/log2⌋ (31 at most) and p = ⌊(coeffA·(z·log2 − d + coeffB)² + coeffC)/2^z⌋
 * it is ⌊p·(n − 1)/Σp⌋.
 */
export function integerSoftmax(context: NodeContext): readonly Value[] {
  const [a, b, c] = ['coeffA', 'coeffB', 'coeffC'].map((name) => numberOf(context, name)) as [number, number, number];
  const log2 = wholeNumberOf(context, 'log2', 1);
  const count = wholeNumberOf(context, 'n_levels', 2) - 1;
  return softmax(context, 'quotients', count, (d) => {
    const z = Math.min(31, Math.floor(d / log2));
    return Math.floor((a * (z * log2 - d + b) ** 2 + c) / 2 ** z);
  });
}

/** Softmax of ITA over the last axis, of powers 256 >> ((d + 16) >> 5): ⌊(n − 1)·256/Σp⌋, shifted likewise. */
export function itaMax(context: NodeContext): readonly Value[] {
  return softmax(context, 'inverse', wholeNumberOf(context, 'n_levels', 2) - 1, itaPower);
}

/** The same with n/2 − 1, and the sum of one pass over groups of `group_width` values. */
export function itaPartialMax(context: NodeContext): readonly Value[] {
  const count = Math.floor(wholeNumberOf(context, 'n_levels', 4) / 2) - 1;
  return softmax(context, 'partial', count, itaPower, wholeNumberOf(context, 'group_width', 1));
}

function itaPower(distance: number): number {
  return Math.floor(256 / 2 ** Math.floor((distance + 16) / 32));
}

function softmax(
  context: NodeContext,
  form: SoftmaxForm,
  count: number,
  power: (distance: number) => number,
  width?: number,
): readonly Value[] {
  const x = context.realInAnyLayout(0);
  const axis = axisOf(context, x, numberOf(context, 'axis', -1));
  const { min, max } = integersOf(context, x);
  const size = context.onnxShape(x)[axis.onnx]!;
  if (width !== undefined && size % width !== 0) context.badForm(`its ${size} values are no groups of ${width}`);
  if (!(power(0) >= 1) || power(max - min) < 0) context.badForm('its powers aren’t positive');
  const { params } = stepsOf({ min: 0, max: max - min }, power);
  const attrs = { axis: axis.own, form, count, ...(width === undefined ? {} : { width }) };
  const made = context.emit({ kind: 'integer_softmax', inputs: [x], attrs, params, suffix: 'softmax' });
  const code = { scale: 1, zero: 0, min: 0, max: count };
  return [context.graph.quantise({ source: inAxesOf(x, made), code }, context.output, context.place)];
}
