import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realResult, sameShape, shapeText } from './type-rules.js';

export const layernorm = defineOp({
  doc: 'Normalisation of each sample over its last axis: (x − mean)/√(variance + epsilon)·gamma + beta, the variance over the count.',
  arity: [1, 1],
  attrs: { epsilon: number() },
  params: ['gamma', 'beta'],
  traits: {
    role: 'function',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'none',
    relays: false,
    planewise: false,
    monotone: false,
    linear: false,
    accumulates: false,
    keepsRange: false,
    padding: 'none',
  },
  channelAxis: (_, shape) => shape.length - 1,
  lowering: {
    role: 'values',
    act: ({ builder, lowering, dtype }, op, [x]) => {
      const rank = op.type.shape.length;
      const centred = builder.sub(x!, builder.mean(x!, [rank], true));
      const variance = builder.mean(builder.mul(centred, centred), [rank], true);
      const unit = builder.div(centred, builder.sqrt(builder.add(variance, op.attrs.epsilon)));
      const [gamma, beta] = ['gamma', 'beta'].map((role) => lowering.perChannel(op, role, dtype, rank, rank - 1)!);
      return builder.add(builder.mul(unit, gamma!), beta!);
    },
  },
  type: (request) => {
    const { shape } = request.inputs[0]!;
    for (const role of ['gamma', 'beta']) {
      const size = request.param(role)!;
      if (!sameShape(size, shape.slice(-1))) return `${role} must be [${shape.at(-1)}], is ${shapeText(size)}`;
    }
    return realResult(request);
  },
});
