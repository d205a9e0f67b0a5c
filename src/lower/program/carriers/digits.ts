import { type Op, windowOf } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { stepsOf } from '../runnable.js';
import { signed, sizeAndSign } from './worth.js';

/** The binary digits of a whole number [N, …], most significant first, each [N, …] of 0 and 1. */
function binaryDigits(builder: ProgramBuilder, code: Value, bits: number): readonly Value[] {
  let rest = code;
  return Array.from({ length: bits }, (_, k) => {
    const weight = 2 ** (bits - 1 - k);
    const digit = builder.as(`digit${k + 1}`).select(builder.ge(rest, weight), builder.scalar('f32', 1), 0);
    rest = builder.sub(rest, builder.mul(digit, weight));
    return digit;
  });
}

/** The digits of the input's size in its nearest code of `bits`, with its sign, as often as they fit in the steps. */
export function encodedDigits(lowering: Lowering, op: Op, x: Value, bits: number): Value {
  const { builder, steps } = lowering;
  const { size, sign } = sizeAndSign(lowering, op, x);
  const code = builder.floor(builder.add(builder.mul(size, 2 ** bits - 1), 0.5));
  const digits = binaryDigits(builder, code, bits);
  const all = Array.from({ length: steps }, (_, t) => digits[t % bits]!);
  return signed(lowering, builder.as('digits').concat(all, 0), sign);
}

/**
 * The binary digits of the greatest of some trains of binary digits, period by period: with the prefixes P_k = 2·P_k−1 + s_k
 * and M_k = max_i P_i,k, s_k = M_k − 2·M_k−1 is 0 or 1 (docs/sws.md). All steps in one pooling.
 */
export function maxOfDigits({ builder }: Lowering, op: Op<'maxprefix'>, spikes: Value, period: number): Value {
  const steps = stepsOf(spikes);
  const prefixes: Value[] = [];
  for (let t = 0; t < steps; t++) {
    const step = builder.step(spikes, t);
    prefixes.push(t % period === 0 ? step : builder.as(`prefix${t + 1}`).add(builder.mul(prefixes[t - 1]!, 2), step));
  }
  const most = builder.as('most').maxpool(builder.concat(prefixes, 0), windowOf(op.attrs));
  const digits = prefixes.map((_, t) => {
    const now = builder.step(most, t);
    return t % period === 0 ? now : builder.as(`s${t + 1}`).sub(now, builder.mul(builder.step(most, t - 1), 2));
  });
  return builder.as('train').concat(digits, 0);
}
