import { onImages, sumOfWindows, windowOf } from './window-lowering.js';
import { boolean, border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { pooled, poolShape } from './type-rules.js';
import { averageTraits } from './row-traits.js';

export const avgpool = defineOp({
  doc: 'Average over windows; include_pad: the divisor counts padded zeros. On spikes: psp = gain·average + bias; without gain, graded spikes.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border(), include_pad: boolean() },
  params: ['gain?', 'bias?'],
  traits: { ...averageTraits, padding: 'averaged' },
  links: sliding,
  lowering: {
    role: 'synapse',
    act: onImages(({ builder }, { attrs }, [x]) =>
      builder.avgpool(x!, { ...windowOf(attrs), include_pad: attrs.include_pad }),
    ),
    sums: {
      act: sumOfWindows,
      size: ({ attrs: { kernel } }) => kernel[0] * kernel[1],
      dividesAlike: ({ attrs }) => attrs.include_pad || attrs.pads.every((n) => n === 0),
    },
    gain: 'gain',
    plus: 'bias',
  },
  type: (request) => {
    const shape = poolShape(request);
    const [kh, kw] = request.attrs.kernel;
    return typeof shape === 'string' ? shape : pooled(request, shape, kh * kw);
  },
});
