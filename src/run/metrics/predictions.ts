import type { Tensor } from '../../base/dtype.js';

/**
 * The class of each row of logits [N, classes]: the first greatest. A single output tells two classes apart: 1 above the
 * threshold, which is 0 for a logit and 0.5 for a probability.
 */
export function predictedClasses(logits: Tensor, threshold = 0): Int32Array {
  const rows = logits.shape[0]!;
  const classes = rows === 0 ? 0 : logits.data.length / rows;
  if (classes === 1) return Int32Array.from(logits.data, (value) => (value > threshold ? 1 : 0));
  return Int32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if (logits.data[row * classes + c]! > logits.data[row * classes + best]!) best = c;
    }
    return best;
  });
}

/** Fraction of places where two lists are equal. */
export function agreement(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length === 0) return 0;
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
