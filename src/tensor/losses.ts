import { tensor } from '../base/dtype.js';
import type { ProgramBuilder, Value } from './builder.js';
import { ShapeError, fixed, isBatch, showType } from './dims.js';
import { isFloat } from './ops/def.js';

export type LossSpec =
  /** Cross-entropy of the logits' mean over time. */
  | { readonly kind: 'cross_entropy'; readonly smoothing?: number }
  /**
   * Temporal efficient training (Deng et al. 2022): (1−λ)·mean over t of cross-entropy at t,
   * plus λ·mean of (logits − φ)².
   */
  | { readonly kind: 'tet'; readonly lambda?: number; readonly phi?: number; readonly smoothing?: number }
  /** Mean squared difference of the logits' mean over time from the one-hot class. */
  | { readonly kind: 'mse'; readonly smoothing?: number };

/** ln softmax along the last axis; the maximum is taken off first, which changes nothing but overflow. */
export function logSoftmax(b: ProgramBuilder, x: Value): Value {
  const last = x.shape.length - 1;
  const shifted = b.sub(x, b.detach(b.reduceMax(x, [last], true)));
  return b.sub(shifted, b.log(b.sum(b.exp(shifted), [last], true)));
}

/**
 * Target probabilities [N, classes] of i32 labels [N]: 1 − ε at the class and ε/classes
 * everywhere (label smoothing).
 */
export function targets(b: ProgramBuilder, labels: Value, classes: number, dtype: 'f32' | 'f64', smoothing = 0): Value {
  const indices = b.constant(
    tensor(
      'i32',
      [1, classes],
      Array.from({ length: classes }, (_, i) => i),
    ),
  );
  const oneHot = b.cast(b.eq(b.reshape(labels, [...labels.shape, 1]), indices), dtype);
  return smoothing === 0 ? oneHot : b.add(b.mul(oneHot, 1 - smoothing), smoothing / classes);
}

/** Logits [TN, classes] as [T, N, classes]. */
function unfoldTime(b: ProgramBuilder, logits: Value): Value {
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2 || !isFloat(logits.dtype) || !isBatch(rows!)) {
    throw new ShapeError(`a loss takes logits [TN, classes], not ${showType(logits)}`);
  }
  return b.reshape(logits, [rows.batch, { batch: 1 }, classes!]);
}

/** Logits [TN, classes] averaged over the T time steps: [N, classes]. */
export function meanOverTime(b: ProgramBuilder, logits: Value): Value {
  return b.mean(unfoldTime(b, logits), [0]);
}

/**
 * A scalar loss, averaged over the batch, of a train of logits [TN, classes] (T = 1 for
 * networks without time) and i32 labels [N].
 */
export function lossOf(b: ProgramBuilder, spec: LossSpec, logits: Value, labels: Value): Value {
  const dtype = logits.dtype as 'f32' | 'f64';
  const unfolded = unfoldTime(b, logits);
  const steps = fixed(unfolded.shape[0], 'loss: time');
  const classes = fixed(logits.shape[1], 'loss: classes');
  const wanted = targets(b, labels, classes, dtype, spec.smoothing);
  const n = b.batchSize(dtype);
  switch (spec.kind) {
    case 'cross_entropy': {
      const likelihood = b.sumAll(b.mul(wanted, logSoftmax(b, b.mean(unfolded, [0]))));
      return b.as('loss').neg(b.div(likelihood, n));
    }
    case 'tet': {
      const { lambda = 0.05, phi = 1 } = spec;
      const likelihood = b.sumAll(b.mul(wanted, logSoftmax(b, unfolded)));
      const crossEntropy = b.mul(b.div(likelihood, n), -(1 - lambda) / steps);
      const away = b.sub(unfolded, phi);
      const spread = b.mul(b.div(b.sumAll(b.mul(away, away)), n), lambda / (steps * classes));
      return b.as('loss').add(crossEntropy, spread);
    }
    case 'mse': {
      const away = b.sub(b.mean(unfolded, [0]), wanted);
      return b.as('loss').mul(b.div(b.sumAll(b.mul(away, away)), n), 1 / classes);
    }
  }
}

/** How many of the batch's predictions (argmax of mean logits) equal the labels: an i32 scalar. */
export function correctCount(b: ProgramBuilder, logits: Value, labels: Value): Value {
  const predicted = b.argmax(meanOverTime(b, logits), 1);
  return b.as('correct').sumAll(b.cast(b.eq(predicted, labels), 'i32'));
}
