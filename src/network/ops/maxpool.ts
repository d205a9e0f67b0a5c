import { border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { windowShape } from './type-rules.js';

export const maxpool = defineOp({
  doc: 'Maximum over windows; padding never wins. On binary spikes the maximum is their OR.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border() },
  params: [],
  type: (request) => {
    const shape = windowShape(request, request.inputs[0]!.shape[0]!);
    return typeof shape === 'string' ? shape : { ...request.inputs[0]!, shape };
  },
});
