import { normalised } from './batchnorm-lowering.js';
import { number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, sameShape, shapeText } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const batchnorm = defineOp({
  doc: 'Batch normalisation over channels, axis 0 unless `axis` says another: (x − mean)/√(variance + epsilon)·gamma + beta.',
  arity: [1, 1],
  attrs: { epsilon: number(), momentum: optional(number()), threshold: optional(number()), axis: optional(number()) },
  params: ['gamma', 'beta', 'mean', 'variance'],
  fixedParams: () => ['mean', 'variance'],
  traits: {
    ...realTraits,
    role: 'norm',
    linear: true,
  },
  channelAxis: ({ axis = 0 }) => axis,
  lowering: { role: 'values', act: normalised },
  type: ({ inputs, attrs: { axis = 0 }, param }) => {
    const channels = inputs[0]!.shape[axis];
    if (channels === undefined) return `${shapeText(inputs[0]!.shape)} has no axis ${axis}`;
    for (const role of ['gamma', 'beta', 'mean', 'variance']) {
      if (!sameShape(param(role)!, [channels])) return `${role} must be [${channels}], is ${shapeText(param(role)!)}`;
    }
    return linearResult(inputs[0]!, inputs[0]!.shape);
  },
});
