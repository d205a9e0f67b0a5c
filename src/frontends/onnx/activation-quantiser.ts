import type { Rounding } from '../../base/rounding.js';
import { type CodeRounding, byMagnitude, roundCode } from './code-rounding.js';
import { type Constant, smallConstant } from './constant.js';
import type { NodeContext } from './context.js';
import { type QuantCode, type RealValue, inAxesOf } from './values.js';

/** Codes Q = round(clip(x/scale + zero, min, max)) of an activation that stand for (Q − zero)·scale. */
interface ActivationCode {
  readonly scale: number;
  readonly zero: number;
  /** Need not be integers: clipping comes first. */
  readonly min: number;
  readonly max: number;
}

/**
 * An activation quantised as QONNX does it: clipped, then rounded, the zero point added before. Rounding is monotone, so
 * that round(clip(v, lo, hi)) = clip(round(v), round(lo), round(hi)). Rounding by magnitude changes its direction at the
 * code 0: codes below and above are two quantisers, whose values add up.
 */
export function quantisedActivation(
  context: NodeContext,
  x: RealValue,
  code: ActivationCode,
  rounding: CodeRounding,
  origin: string | undefined,
): RealValue {
  const min = roundCode(rounding, code.min);
  const max = roundCode(rounding, code.max);
  const signed = byMagnitude[rounding];
  if (signed === undefined) return one(context, x, { ...code, min, max }, rounding as Rounding, origin);
  const [above, below] = signed;
  if (min >= 0) return one(context, x, { ...code, min, max }, above, origin);
  if (max <= 0) return one(context, x, { ...code, min, max }, below, origin);
  const positive = one(context, x, { ...code, min: 0, max }, above, undefined);
  const negative = one(context, x, { ...code, min, max: 0 }, below, undefined);
  const shift = code.zero * code.scale;
  const moved = shift === 0 ? negative : scaledBy(context, negative, 1, shift, undefined);
  return inAxesOf(x, context.emit({ kind: 'add', inputs: [positive, moved], origin }));
}

function one(
  context: NodeContext,
  source: RealValue,
  code: ActivationCode,
  rounding: Rounding,
  origin: string | undefined,
): RealValue {
  const quant: QuantCode = rounding === 'half_even' ? withParity(code) : { ...code, rounding };
  return context.graph.quantise({ source, code: quant }, origin, context.place);
}

/** Halves go to even codes, the zero point among them; the op's are even without it. */
function withParity(code: ActivationCode): QuantCode {
  return Math.abs(Math.floor(code.zero)) % 2 === 0 ? code : { ...code, rounding: 'half_odd' };
}

/** x·scale + shift. */
export function scaledBy(
  context: NodeContext,
  x: RealValue,
  scale: number,
  shift: number,
  origin: string | undefined,
): RealValue {
  const scalar = (value: number): Constant => smallConstant(context.output, 'double', [1], [value]);
  const params = {
    scale: context.param(scalar(scale)),
    ...(shift === 0 ? {} : { shift: context.param(scalar(shift)) }),
  };
  return inAxesOf(x, context.emit({ kind: 'affine', inputs: [x], params, suffix: 'scaled', origin }));
}

/** The sign of x/scale + zero as a bit Q: 2Q − 1 is −1 or 1, and (2Q − 1 − zero)·scale = (Q − (1 + zero)/2)·2·scale. */
export function quantisedSign(
  context: NodeContext,
  x: RealValue,
  scale: number,
  zero: number,
  origin: string | undefined,
): RealValue {
  return one(context, x, { scale: 2 * scale, zero: (1 + zero) / 2, min: 0, max: 1 }, 'half_up', origin);
}
