import { type Constant, lazyConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { type RealValue, inAxesOf } from '../../values.js';
import { broadcastTo } from '../with-constant.js';

/**
 * An activation quantised with one scale, or with several (one a channel): x/scale in steps of 1, then times the scale.
 * The division and the product belong to the layers around.
 */
export function withSteps(
  context: NodeContext,
  x: RealValue,
  scale: Constant,
  quantiser: (x: RealValue, step: number, origin: string | undefined) => RealValue,
): RealValue {
  const [first, ...others] = Array.from(scale.data());
  if (others.every((value) => value === first)) return quantiser(x, first!, context.output);
  const scales = broadcastTo(context, scale, x);
  const steps = quantiser(
    multiplied(context, x, scales, (s) => 1 / s, 'steps'),
    1,
    undefined,
  );
  return multiplied(context, steps, scales, (s) => s, 'scaled', context.output);
}

function multiplied(
  context: NodeContext,
  x: RealValue,
  by: Constant,
  factor: (value: number) => number,
  suffix: string,
  origin?: string,
): RealValue {
  const values = lazyConstant(by.name, 'double', by.shape, () => Float64Array.from(by.data(), factor));
  const params = { scale: context.param(values) };
  return inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix, origin }));
}
