import type { ProgramBuilder, Value } from '../../tensor/index.js';
import { number } from './attributes.js';
import { codesOf } from './codes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { withTime } from './type-rules.js';

export const digit = defineOp({
  doc: 'One digit of a value on a fine grid: d = ⌊Q/base^place⌋ mod base of Q = clip(round_half_even(x/scale) + zero, 0, max), standing for the real (d − z)·scale·base^place, z the same digit of `zero`. All of its digits add up to the value.',
  arity: [1, 1],
  attrs: { scale: number(), zero: number(), max: number(), base: number(), place: number() },
  params: [],
  traits: { ...realTraits, role: 'table' },
  lowering: {
    role: 'values',
    act: ({ builder, dtype }, { attrs }, [x]) => {
      const { scale, zero, max, base, place } = attrs;
      const code = codesOf(builder, builder.cast(x!, 'f64'), { scale, zero, min: 0, max });
      const found = digitOf(builder, code, { base, place });
      const own = digitOfNumber(zero, { base, place });
      return builder.cast(builder.mul(own === 0 ? found : builder.sub(found, own), scale * base ** place), dtype);
    },
  },
  type: ({ inputs, attrs: { scale, zero, max, base, place } }) => {
    if (!(scale > 0)) return `scale must be positive, is ${scale}`;
    if (![zero, max, base, place].every((n) => Number.isSafeInteger(n) && n >= 0) || base < 2) {
      return 'zero, max, base and place must be whole numbers';
    }
    const code = {
      kind: 'quant' as const,
      scale: scale * base ** place,
      zero: digitOfNumber(zero, { base, place }),
      min: 0,
      max: Math.min(base - 1, Math.floor(max / base ** place)),
    };
    return withTime({ shape: inputs[0]!.shape, code }, inputs[0]!.time);
  },
});

/** Which digit: that of base^place. */
export interface Place {
  readonly base: number;
  readonly place: number;
}

/** The digit of a whole number. */
export function digitOfNumber(code: number, { base, place }: Place): number {
  return Math.floor(code / base ** place) % base;
}

/** The digit of whole numbers ≥ 0, in their dtype. */
export function digitOf(builder: ProgramBuilder, code: Value, { base, place }: Place): Value {
  const above = (power: number): Value => (power === 0 ? code : builder.floor(builder.div(code, base ** power)));
  return builder.sub(above(place), builder.mul(above(place + 1), base));
}
