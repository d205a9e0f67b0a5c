import { boolean, border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { pooled, poolShape } from './type-rules.js';

export const avgpool = defineOp({
  doc: 'Average over windows; include_pad: the divisor counts padded zeros. On spikes: psp = gain·average + bias; without gain, graded spikes.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border(), include_pad: boolean() },
  params: ['gain?', 'bias?'],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: true,
    planewise: true,
    maximum: false,
    monotone: false,
    linear: true,
    accumulates: true,
    reshapes: false,
    activation: false,
    keepsRange: true,
  },
  type: (request) => {
    const shape = poolShape(request);
    const [kh, kw] = request.attrs.kernel;
    return typeof shape === 'string' ? shape : pooled(request, shape, kh * kw);
  },
});
