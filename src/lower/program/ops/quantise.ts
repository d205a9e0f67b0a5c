import { type Op, numberAttr } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { OpLowering } from './op-lowering.js';

/** clip(round_half_even(x/scale) + zero, min, max) in x's dtype; in f32 exactly as onnxruntime rounds. */
export function codesOf(builder: ProgramBuilder, x: Value, attrs: Op['attrs']): Value {
  const rounded = builder.round(builder.div(x, numberAttr(attrs, 'scale')));
  const zero = numberAttr(attrs, 'zero');
  return builder.clip(
    zero === 0 ? rounded : builder.add(rounded, zero),
    numberAttr(attrs, 'min'),
    numberAttr(attrs, 'max'),
  );
}

/** The reals that codes stand for: (Q − zero)·scale. */
export const quantize: OpLowering = {
  role: 'values',
  act: ({ builder, lowering: { network }, dtype }, op, [x]) => {
    // an f32 image is rounded in f32, as every runtime does; in f64 other pixels would be near a tie
    const isInput = network.ops.some(({ id, kind }) => id === op.inputs[0] && kind === 'input');
    const code = builder.cast(codesOf(builder, isInput ? builder.cast(x!, 'f32') : x!, op.attrs), dtype);
    const zero = numberAttr(op.attrs, 'zero');
    const centred = zero === 0 ? code : builder.sub(code, zero);
    return builder.mul(centred, numberAttr(op.attrs, 'scale'));
  },
};
