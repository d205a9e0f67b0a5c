import type { Rounding } from '../../../base/rounding.js';
import { type Op, numberAttr, roundingOf } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { OpLowering } from './op-lowering.js';

/** clip(round(x/scale) + zero, min, max) in x's dtype; in f32 exactly as onnxruntime rounds. */
export function codesOf(builder: ProgramBuilder, x: Value, attrs: Op['attrs']): Value {
  const zero = numberAttr(attrs, 'zero');
  const whole = Math.floor(zero);
  const scaled = builder.div(x, numberAttr(attrs, 'scale'));
  const rounded = rounding(builder, zero === whole ? scaled : builder.add(scaled, zero - whole), roundingOf(attrs));
  return builder.clip(
    whole === 0 ? rounded : builder.add(rounded, whole),
    numberAttr(attrs, 'min'),
    numberAttr(attrs, 'max'),
  );
}

/** x rounded. Where x is half-way from an integer it is exactly so from the even one: the difference is exact. */
function rounding(builder: ProgramBuilder, x: Value, how: Rounding): Value {
  if (how === 'floor') return builder.floor(x);
  if (how === 'ceil') return builder.neg(builder.floor(builder.neg(x)));
  const even = builder.round(x);
  if (how === 'half_even') return even;
  const rest = builder.sub(x, even);
  const raised = how === 'half_down' ? even : builder.select(builder.ge(rest, 0.5), builder.add(even, 1), even);
  if (how === 'half_up') return raised;
  return builder.select(builder.ge(builder.neg(rest), 0.5), builder.sub(even, 1), raised);
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
