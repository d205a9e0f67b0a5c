import { type Rounding, withZeroPoint } from '../../base/rounding.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';

/** A quantiser's numbers. */
export interface Quantiser {
  readonly scale: number;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
  readonly rounding?: Rounding | undefined;
}

/** clip(round(x/scale) + zero, min, max) in x's dtype; in f32 exactly as onnxruntime rounds. */
export function codesOf(
  builder: ProgramBuilder,
  x: Value,
  { scale, zero, min, max, rounding: how = 'half_even' }: Quantiser,
): Value {
  const { rounding, fraction, whole } = withZeroPoint(how, zero);
  const scaled = builder.div(x, scale);
  const rounded = roundedBy(builder, fraction === 0 ? scaled : builder.add(scaled, fraction), rounding);
  return builder.clip(whole === 0 ? rounded : builder.add(rounded, whole), min, max);
}

/** x rounded. Where x is half-way from an integer it is exactly so from the even one: the difference is exact. */
function roundedBy(builder: ProgramBuilder, x: Value, rounding: Rounding): Value {
  if (rounding === 'floor') return builder.floor(x);
  if (rounding === 'ceil') return builder.neg(builder.floor(builder.neg(x)));
  const even = builder.round(x);
  if (rounding === 'half_even') return even;
  const rest = builder.sub(x, even);
  const raised = rounding === 'half_down' ? even : builder.select(builder.ge(rest, 0.5), builder.add(even, 1), even);
  if (rounding === 'half_up') return raised;
  return builder.select(builder.ge(builder.neg(rest), 0.5), builder.sub(even, 1), raised);
}
