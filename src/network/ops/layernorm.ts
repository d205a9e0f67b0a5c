import { number } from './attributes.js';
import { defineOp } from './define.js';
import { alongAxis, axisProblem, groupTraits, layerNormOf } from './group.js';
import { realResult } from './type-rules.js';

export const layernorm = defineOp({
  doc: 'Layer normalisation along an axis (0 is the channels): (x − mean)/√(variance + epsilon)·gamma + beta, mean and variance those of the values along it; gamma and beta one number a place there.',
  arity: [1, 1],
  attrs: { axis: number(), epsilon: number() },
  params: ['gamma?', 'beta?'],
  traits: groupTraits,
  lowering: {
    role: 'values',
    act: ({ builder, lowering, dtype }, op, [x]) =>
      layerNormOf(
        builder,
        x!,
        { axis: op.attrs.axis + 1, epsilon: op.attrs.epsilon },
        alongAxis(lowering, op, 'gamma', dtype),
        alongAxis(lowering, op, 'beta', dtype),
      ),
  },
  type: (request) => axisProblem(request) ?? realResult(request),
});
