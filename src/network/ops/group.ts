import type { ProgramBuilder, Value } from '../../tensor/index.js';
import type { TypeRequest } from './define.js';
import type { LoweredOp, LoweringContext, Precision } from './lowering.js';
import { realTraits } from './row-traits.js';
import type { OpTraits } from './traits.js';
import { sameShape, shapeText } from './type-rules.js';

/** Layers whose values each depend on all values along an axis: what their rows have in common. */
export const groupTraits = { ...realTraits, role: 'group-function' } as const satisfies OpTraits;

/** e^(x − max x) over its sum along an axis of [N, …]. */
export function softmaxOf(builder: ProgramBuilder, x: Value, axis: number): Value {
  const powers = builder.exp(builder.sub(x, builder.reduceMax(x, [axis], true)));
  return builder.div(powers, builder.sum(powers, [axis], true));
}

/** (x − mean x)/√(variance of x + epsilon) along an axis of [N, …], times `gamma` and plus `beta`, which broadcast. */
export function layerNormOf(
  builder: ProgramBuilder,
  x: Value,
  { axis, epsilon }: { readonly axis: number; readonly epsilon: number },
  gamma?: Value,
  beta?: Value,
): Value {
  const centred = builder.sub(x, builder.mean(x, [axis], true));
  const variance = builder.mean(builder.mul(centred, centred), [axis], true);
  const normal = builder.div(centred, builder.sqrt(builder.add(variance, epsilon)));
  const scaled = gamma === undefined ? normal : builder.mul(normal, gamma);
  return beta === undefined ? scaled : builder.add(scaled, beta);
}

/** A parameter of one number a place along the op's axis, shaped to broadcast over [N, …]; undefined where there is none. */
export function alongAxis(
  lowering: LoweringContext,
  op: LoweredOp<{ readonly axis: number }>,
  role: string,
  dtype: Precision,
): Value | undefined {
  if (op.params[role] === undefined) return undefined;
  const shape = op.type.shape.map((size, axis) => (axis === op.attrs.axis ? size : 1));
  return lowering.builder.reshape(lowering.realWeight(op, role, dtype), shape);
}

/** What is wrong with the axis of a group function, or with its parameters. */
export function axisProblem({ inputs, attrs, param }: TypeRequest<{ readonly axis: number }>): string | undefined {
  const { shape } = inputs[0]!;
  const size = shape[attrs.axis];
  if (size === undefined) return `has no axis ${attrs.axis} in ${shapeText(shape)}`;
  const wrong = ['gamma', 'beta'].find((role) => !sameShape(param(role) ?? [size], [size]));
  return wrong === undefined ? undefined : `${wrong} must be [${size}], is ${shapeText(param(wrong)!)}`;
}
