import { roundings } from '../../base/rounding.js';
import { number, optional, word } from './attributes.js';
import { codesOf } from './codes.js';
import { defineOp } from './define.js';
import { withTime } from './type-rules.js';
import { realTraits } from './row-traits.js';

export const quantize = defineOp({
  doc: 'Activation quantiser: Q = clip(round(x/scale) + zero, min, max), standing for the real (Q − zero)·scale. `rounding` is half_even where it isn’t said. Of a zero point that is no integer the fraction is added before rounding: a bit for −1 and 1 has the scale 2 and the zero point ½.',
  arity: [1, 1],
  attrs: {
    scale: number(),
    zero: number(),
    min: number(),
    max: number(),
    rounding: optional(word(roundings)),
  },
  params: [],
  traits: {
    ...realTraits,
    role: 'quantiser',
  },
  lowering: {
    role: 'values',
    // the reals that codes stand for: (Q − zero)·scale
    act: ({ builder, lowering, dtype }, { attrs, inputs }, [x]) => {
      // an f32 image is rounded in f32, as every runtime does; in f64 other pixels would be near a tie
      const rounded = codesOf(builder, lowering.isInput(inputs[0]!) ? builder.cast(x!, 'f32') : x!, attrs);
      const code = builder.cast(rounded, dtype);
      return builder.mul(attrs.zero === 0 ? code : builder.sub(code, attrs.zero), attrs.scale);
    },
  },
  type: ({ inputs, attrs }) => {
    const code = {
      kind: 'quant' as const,
      scale: attrs.scale,
      zero: attrs.zero,
      min: attrs.min,
      max: attrs.max,
    };
    if (!(code.scale > 0)) return `scale must be positive, is ${code.scale}`;
    return withTime({ shape: inputs[0]!.shape, code }, inputs[0]!.time);
  },
});
