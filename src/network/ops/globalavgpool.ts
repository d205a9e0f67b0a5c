import { defineOp } from './define.js';
import { whole } from './geometry.js';
import { pooled, shapeText } from './type-rules.js';
import { averageTraits } from './row-traits.js';

export const globalavgpool = defineOp({
  doc: 'Average over all of H×W: [C,H,W] → [C,1,1]. On spikes: psp = gain·average + bias.',
  arity: [1, 1],
  attrs: {},
  params: ['gain?', 'bias?'],
  traits: averageTraits,
  links: whole,
  lowering: {
    role: 'synapse',
    act: ({ builder }, _, [x]) => builder.mean(x!, [2, 3], true),
    sums: {
      act: ({ builder }, _, [x]) => builder.sum(x!, [2, 3], true),
      size: (_, shape) => shape[1]! * shape[2]!,
      dividesAlike: () => true,
    },
    gain: 'gain',
    plus: 'bias',
  },
  type: (request) => {
    const shape = request.inputs[0]!.shape;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    return pooled(request, [shape[0]!, 1, 1], shape[1]! * shape[2]!);
  },
});
