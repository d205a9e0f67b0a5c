import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realResult, shapeText } from './type-rules.js';

export const softmax = defineOp({
  doc: 'e^x over its sum along an axis (0: the channels).',
  arity: [1, 1],
  attrs: { axis: number() },
  params: [],
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
  lowering: {
    role: 'values',
    act: ({ builder }, { attrs: { axis } }, [x]) => {
      // the greatest value takes nothing away from the result, and keeps e^x finite
      const greatest = builder.detach(builder.reduceMax(x!, [axis + 1], true));
      const powers = builder.exp(builder.sub(x!, greatest));
      return builder.div(powers, builder.sum(powers, [axis + 1], true));
    },
  },
  type: (request) => {
    const { shape } = request.inputs[0]!;
    const { axis } = request.attrs;
    return axis in shape ? realResult(request) : `${shapeText(shape)} has no axis ${axis}`;
  },
});
