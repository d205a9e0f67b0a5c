import type { Tensor } from '../../base/dtype.js';

/** The class of each row of logits [N, classes]: the first greatest. */
export function predictedClasses(logits: Tensor): Int32Array {
  const rows = logits.shape[0]!;
  const classes = rows === 0 ? 0 : logits.data.length / rows;
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
