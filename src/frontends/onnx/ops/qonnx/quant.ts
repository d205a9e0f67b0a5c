import { quantisedActivation, quantisedSign } from '../../activation-quantiser.js';
import { type CodeRange, quantisedConstant } from '../../constant-quantiser.js';
import type { NodeContext } from '../../context.js';
import type { RealValue, Value } from '../../values.js';
import { withSteps } from './steps.js';
import { floatConstant, integerRange, roundingMode, scaleInput, singleValue } from './params.js';

/**
 * Quant, IntQuant: y = round(clip(x/scale + zero, min, max)), (y − zero)·scale. The range follows from the bit width, which
 * may be fractional; one signed bit is −1 or 1, by the sign of x/scale + zero.
 */
export function quant(context: NodeContext): readonly Value[] {
  const scale = scaleInput(context, 1);
  const zero = floatConstant(context, 2, 'the zero point');
  const bits = floatConstant(context, 3, 'the bit width');
  const rounding = roundingMode(context, 'ROUND');
  const [signed, narrow] = [context.int('signed', 1) !== 0, context.int('narrow', 1) !== 0];
  for (const value of bits.data()) if (!(value >= 1 && value <= 64)) context.badAttribute('bit width', value);
  const rangeOf = (width: number): CodeRange =>
    width === 1 && signed ? undefined : integerRange(width, signed, narrow);
  const input = context.input(0);
  if (input.kind === 'constant') return [quantisedConstant(context, input, { scale, zero, bits, rangeOf, rounding })];
  const x = context.realInAnyLayout(0);
  const offset = singleValue(context, zero, 'zero points');
  const range = rangeOf(singleValue(context, bits, 'bit widths'));
  const quantiser = (x: RealValue, step: number, origin: string | undefined): RealValue =>
    range === undefined
      ? quantisedSign(context, x, step, offset, origin)
      : quantisedActivation(context, x, { scale: step, zero: offset, ...range }, rounding, origin);
  return [withSteps(context, x, scale, quantiser)];
}
