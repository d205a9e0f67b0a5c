import { onImages, windowOf } from './window-lowering.js';
import { border, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sliding } from './geometry.js';
import { poolShape } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const maxpool = defineOp({
  doc: 'Maximum over windows; padding never wins. On binary spikes the maximum is their OR.',
  arity: [1, 1],
  attrs: { kernel: pair(), stride: pair(), pads: border() },
  params: [],
  traits: { ...realTraits, role: 'maximum', fires: 'chosen', monotone: true, keepsRange: true, padding: 'absent' },
  links: sliding,
  lowering: { role: 'values', act: onImages(({ builder }, { attrs }, [x]) => builder.maxpool(x!, windowOf(attrs))) },
  type: (request) => {
    const shape = poolShape(request);
    return typeof shape === 'string' ? shape : { ...request.inputs[0]!, shape };
  },
});
