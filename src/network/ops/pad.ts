import { border, number } from './attributes.js';
import { defineOp } from './define.js';
import { linearResult, shapeText } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const pad = defineOp({
  doc: 'Constant border around H×W: pads = top, left, bottom, right.',
  arity: [1, 1],
  attrs: { pads: border(), value: number() },
  params: [],
  traits: {
    ...realTraits,
    role: 'border',
    linear: true,
    accumulates: true,
  },
  lowering: {
    role: 'values',
    act: ({ builder }, { attrs }, [x]) => {
      const [top, left, bottom, right] = attrs.pads;
      return builder.pad(x!, [0, 0, top, left], [0, 0, bottom, right], attrs.value);
    },
  },
  type: ({ inputs, attrs }) => {
    const [top, left, bottom, right] = attrs.pads;
    const shape = inputs[0]!.shape;
    if (shape.length !== 3) return `needs a [C,H,W] input, has ${shapeText(shape)}`;
    return linearResult(inputs[0]!, [shape[0]!, shape[1]! + top + bottom, shape[2]! + left + right]);
  },
});
