import { elementCount } from '../../base/dtype.js';
import { folded, stepsOf } from '../../tensor/index.js';
import { defineOp } from './define.js';
import { linearResult, shapeText } from './type-rules.js';
import { weightAttrs, weightParams } from './weights.js';
import { perOutput } from './traits.js';
import { synapseTraits } from './row-traits.js';

export const linear = defineOp({
  doc: 'Fully connected over the last axis, of [features] or of [tokens, features]. ANN: y = w·x + bias. On spikes: psp = gain ⊙ (w·s) + bias at every step. On `planes`, with `weight_bits` and `folded_bias`: as conv.',
  arity: [1, 1],
  attrs: weightAttrs,
  params: weightParams,
  traits: {
    ...synapseTraits,
    role: 'weighted',
    macs: perOutput,
  },
  channelAxis: (_, shape) => shape.length - 1,
  lowering: {
    role: 'synapse',
    act: ({ builder, weight }, op, [x]) => {
      const w = weight(op);
      const { shape } = op.type;
      if (shape.length === 1) return builder.matmul(x!, w, { transB: true });
      // the tokens of all samples are the rows of one product
      const steps = stepsOf(x!);
      const rows = builder.reshape(x!, folded(steps * elementCount(shape.slice(0, -1)), [w.shape[1] as number]));
      return builder.reshape(builder.matmul(rows, w, { transB: true }), folded(steps, shape));
    },
    gain: 'gain',
    plus: 'bias',
  },
  type: ({ inputs, param }) => {
    const weight = param('weight')!;
    const shape = inputs[0]!.shape;
    if (weight.length !== 2) return `weight must be [out,in], is ${shapeText(weight)}`;
    if (shape.length === 0 || shape.at(-1) !== weight[1]) {
      return `weight ${shapeText(weight)} doesn't fit input ${shapeText(shape)}`;
    }
    return linearResult(inputs[0]!, [...shape.slice(0, -1), weight[0]!]);
  },
});
