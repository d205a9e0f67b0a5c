import { sameDim } from './dims.js';
import type { TensorOp, ValueInfo } from './types.js';

/** Pixels of a value [N,C,H,W] repeated `down` times in rows and `across` times in columns. */
export interface RepeatedPixels {
  readonly source: string;
  readonly down: number;
  readonly across: number;
}

/**
 * Whether a reshape ends the steps [N,C,H,W] → [N,C,H,1,W,1] → [N,C,H,a,W,b] → [N,C,aH,bW],
 * which repeat pixels (the gradient of average pooling does). Engines have faster ways than
 * a broadcast over six axes: backends look for this pattern.
 */
export function repeatedPixels(
  op: TensorOp,
  makerOf: (id: string) => TensorOp | undefined,
  typeOf: (id: string) => ValueInfo,
): RepeatedPixels | undefined {
  const repeated = op.kind === 'reshape' ? makerOf(op.inputs[0]!) : undefined;
  if (repeated?.kind !== 'broadcast' || repeated.shape.length !== 6 || op.shape.length !== 4) return undefined;
  const apart = makerOf(repeated.inputs[0]!);
  if (apart?.kind !== 'reshape' || apart.shape.length !== 6) return undefined;
  const source = apart.inputs[0]!;
  const { shape } = typeOf(source);
  const [n, c, h, w] = shape;
  const split = [n, c, h, 1, w, 1];
  if (shape.length !== 4 || !split.every((dim, i) => sameDim(dim!, apart.shape[i]!))) return undefined;
  const [down, across] = [repeated.shape[3] as number, repeated.shape[5] as number];
  const merged = [n, c, (h as number) * down, (w as number) * across];
  if (![0, 1, 2, 4].every((axis) => sameDim(repeated.shape[axis]!, apart.shape[axis]!))) return undefined;
  return merged.every((dim, i) => sameDim(dim!, op.shape[i]!)) ? { source, down, across } : undefined;
}
