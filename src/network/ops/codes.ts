import type { ProgramBuilder, Value } from '../../tensor/index.js';

/** A quantiser's numbers. */
export interface Quantiser {
  readonly scale: number;
  readonly zero: number;
  readonly min: number;
  readonly max: number;
}

/** clip(round_half_even(x/scale) + zero, min, max) in x's dtype; in f32 exactly as onnxruntime rounds. */
export function codesOf(builder: ProgramBuilder, x: Value, { scale, zero, min, max }: Quantiser): Value {
  const rounded = builder.round(builder.div(x, scale));
  return builder.clip(zero === 0 ? rounded : builder.add(rounded, zero), min, max);
}
