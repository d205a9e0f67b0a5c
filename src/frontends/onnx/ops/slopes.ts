import type { NodeContext } from '../context.js';
import type { Value } from '../values.js';
import { addition } from './arithmetic.js';
import { affine } from './with-constant.js';
import type { OnnxOpTable } from './define.js';
import { applied, negative, rectified } from './function.js';

/** Another slope below 0, perhaps one a channel. */
export const slopeOps: OnnxOpTable = {
  PRelu: { inputs: [2, 2], run: prelu },
};

/** One slope: LeakyRelu. Slopes of their own: relu(x) − slope·relu(−x), which is the same. */
function prelu(context: NodeContext): readonly Value[] {
  const slope = context.constant(1, 'the slope');
  const values = slope.data();
  const [alpha] = values;
  if (alpha === undefined || values.some((value: number) => !Number.isFinite(value)))
    context.badForm(`its slope is ${values.find((value: number) => !Number.isFinite(value))}`);
  const x = context.realInAnyLayout(0);
  if (values.every((value: number) => value === alpha)) return [applied(context, 'leaky_relu', x, { alpha })];
  const above = rectified(context, x, 'above');
  const below = rectified(context, negative(context, x, 'negative'), 'below');
  // slopes broadcast from the right, as [C, 1, 1] does
  const inclined = affine(context, 'Mul', below, slope, false, undefined, 'inclined');
  return [addition(context, above, negative(context, inclined, 'less'), context.output)];
}
