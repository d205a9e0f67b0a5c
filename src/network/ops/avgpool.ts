import { boolean, border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { pooled, poolShape } from './type-rules.js';

export const avgpool = defineOp({
  doc: 'Average over windows; include_pad: the divisor counts padded zeros. On spikes: psp = gain·average + bias; without gain, graded spikes.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border(), include_pad: boolean() },
  params: ['gain?', 'bias?'],
  traits: {
    role: 'average',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    reach: 'passed-or-own',
    relays: true,
    planewise: true,
    monotone: false,
    linear: true,
    accumulates: true,
    keepsRange: true,
    padding: 'averaged',
  },
  links: sliding,
  type: (request) => {
    const shape = poolShape(request);
    const [kh, kw] = request.attrs.kernel;
    return typeof shape === 'string' ? shape : pooled(request, shape, kh * kw);
  },
});
