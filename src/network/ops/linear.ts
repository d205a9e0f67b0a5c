import { defineOp } from './define.js';
import { linearResult, shapeText } from './type-rules.js';
import { weightAttrs, weightParams } from './weights.js';
import { perOutput } from './traits.js';

export const linear = defineOp({
  doc: 'Fully connected. ANN: y = w·x + bias. On spikes: psp = gain ⊙ (w·s) + bias at every step. On `planes`, with `weight_bits` and `folded_bias`: as conv.',
  arity: [1, 1],
  attrs: weightAttrs,
  params: weightParams,
  traits: {
    role: 'weighted',
    weights: 'matrix',
    macs: perOutput,
    join: false,
    fires: 'none',
    reach: 'own',
    relays: false,
    planewise: false,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: {
    role: 'synapse',
    act: ({ builder, weight }, op, [x]) => builder.matmul(x!, weight(op), { transB: true }),
    gain: 'gain',
    plus: 'bias',
  },
  type: ({ inputs, param }) => {
    const weight = param('weight')!;
    const shape = inputs[0]!.shape;
    if (weight.length !== 2) return `weight must be [out,in], is ${shapeText(weight)}`;
    if (shape.length !== 1 || shape[0] !== weight[1]) {
      return `weight ${shapeText(weight)} doesn't fit input ${shapeText(shape)}`;
    }
    return linearResult(inputs[0]!, [weight[0]!]);
  },
});
