import { tensor } from '../base/dtype.js';
import type { ProgramBuilder, Value } from './builder.js';
import { ShapeError, fixed, isBatch, showType } from './dims.js';
import { type DetectionLoss, detectionLoss } from './detection-loss.js';
import { logSoftmax } from './log-softmax.js';
import { isFloat } from './ops/def.js';

export type LossSpec =
  /**
   * Cross-entropy of the logits' mean over time. With a weight w for each class Σ w_y·loss/Σ w_y over the batch, as
   * PyTorch has it.
   */
  | { readonly kind: 'cross_entropy'; readonly smoothing?: number; readonly weights?: readonly number[] }
  /**
   * Temporal efficient training (Deng et al. 2022): (1−λ)·mean over t of cross-entropy at t,
   * plus λ·mean of (logits − φ)².
   */
  | { readonly kind: 'tet'; readonly lambda?: number; readonly phi?: number; readonly smoothing?: number }
  /** Mean squared difference of the logits' mean over time from the numbers, or from the one-hot class. */
  | { readonly kind: 'mse'; readonly smoothing?: number }
  /** Mean absolute difference. */
  | { readonly kind: 'l1' }
  /** Mean of d²/2 where |d| ≤ δ, and δ·(|d| − δ/2) beyond. */
  | { readonly kind: 'huber'; readonly delta?: number }
  /**
   * Binary cross-entropy of each output z by itself with its target y from 0 to 1, the mean of
   * −w·y·ln σ(z) − (1 − y)·ln(1 − σ(z)); w is 1 where no weights of the outputs are given.
   */
  | { readonly kind: 'bce'; readonly weights?: readonly number[] }
  | DetectionLoss;

/** Losses that compare outputs with classes alone. */
export function needsClasses({ kind }: { readonly kind: string }): boolean {
  return kind === 'cross_entropy' || kind === 'tet';
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
 * networks without time) and labels: i32 classes [N], or numbers [N, outputs] in the logits' type; of a detector's loss
 * [N, objects · 5].
 */
export function lossOf(b: ProgramBuilder, spec: LossSpec, logits: Value, labels: Value): Value {
  if (spec.kind === 'yolo') return detectionLoss(b, spec, meanOverTime(b, logits), labels);
  const dtype = logits.dtype as 'f32' | 'f64';
  const unfolded = unfoldTime(b, logits);
  const steps = fixed(unfolded.shape[0], 'loss: time');
  const classes = fixed(logits.shape[1], 'loss: classes');
  const smoothing = 'smoothing' in spec ? spec.smoothing : 0;
  const wanted = labels.dtype === 'i32' ? targets(b, labels, classes, dtype, smoothing) : labels;
  const n = b.batchSize(dtype);
  switch (spec.kind) {
    case 'cross_entropy': {
      const likelihood = b.mul(wanted, logSoftmax(b, b.mean(unfolded, [0])));
      if (spec.weights === undefined) return b.as('loss').neg(b.div(b.sumAll(likelihood), n));
      const weights = row(b, spec.weights, dtype);
      const total = b.sumAll(b.mul(targets(b, labels, classes, dtype), weights));
      return b.as('loss').neg(b.div(b.sumAll(b.mul(likelihood, weights)), total));
    }
    case 'tet': {
      const { lambda = 0.05, phi = 1 } = spec;
      const likelihood = b.sumAll(b.mul(wanted, logSoftmax(b, unfolded)));
      const crossEntropy = b.mul(b.div(likelihood, n), -(1 - lambda) / steps);
      const away = b.sub(unfolded, phi);
      const spread = b.mul(b.div(b.sumAll(b.mul(away, away)), n), lambda / (steps * classes));
      return b.as('loss').add(crossEntropy, spread);
    }
    default: {
      const each = elementLoss(b, spec, b.mean(unfolded, [0]), wanted);
      return b.as('loss').mul(b.div(b.sumAll(each), n), 1 / classes);
    }
  }
}

/**
 * Knowledge distillation (Hinton et al. 2015): τ²·KL(softmax(t/τ) ‖ softmax(z/τ)), the mean over the batch, of a train of
 * logits z [TN, classes], averaged over time, and a teacher's t [N, classes]. τ is the temperature.
 */
export function distillationLoss(
  b: ProgramBuilder,
  { temperature }: { readonly temperature: number },
  logits: Value,
  teacher: Value,
): Value {
  const own = logSoftmax(b, b.mul(meanOverTime(b, logits), 1 / temperature));
  const theirs = logSoftmax(b, b.mul(teacher, 1 / temperature));
  const divergence = b.sumAll(b.mul(b.exp(theirs), b.sub(theirs, own)));
  return b.as('distill').mul(b.div(divergence, b.batchSize(logits.dtype as 'f32' | 'f64')), temperature ** 2);
}

/** The losses that are means over all outputs: of each output [N, classes]. */
function elementLoss(
  b: ProgramBuilder,
  spec: Exclude<LossSpec, { readonly kind: 'cross_entropy' | 'tet' | 'yolo' }>,
  outputs: Value,
  wanted: Value,
): Value {
  const away = b.sub(outputs, wanted);
  switch (spec.kind) {
    case 'mse':
      return b.mul(away, away);
    case 'l1':
      return b.abs(away);
    case 'huber': {
      // with c = min(|d|, δ): c·(|d| − c/2)
      const distance = b.abs(away);
      const within = b.min(distance, spec.delta ?? 1);
      return b.mul(within, b.sub(distance, b.mul(within, 0.5)));
    }
    case 'bce': {
      // −ln σ(z) = max(−z, 0) + ln(1 + e^−|z|), which doesn't overflow; −ln(1 − σ(z)) is z more
      const rest = b.log(b.add(b.exp(b.neg(b.abs(outputs))), 1));
      const positive = b.add(b.max(b.neg(outputs), 0), rest);
      const negative = b.add(outputs, positive);
      const weighted =
        spec.weights === undefined ? positive : b.mul(positive, row(b, spec.weights, outputs.dtype as 'f32' | 'f64'));
      return b.add(b.mul(wanted, weighted), b.mul(b.add(b.neg(wanted), 1), negative));
    }
  }
}

/** Numbers as [1, count]. */
function row(b: ProgramBuilder, numbers: readonly number[], dtype: 'f32' | 'f64'): Value {
  return b.constant(tensor(dtype, [1, numbers.length], [...numbers]));
}

/** How many of the batch's predictions (argmax of mean logits) equal the labels: an i32 scalar. */
export function correctCount(b: ProgramBuilder, logits: Value, labels: Value): Value {
  const predicted = b.argmax(meanOverTime(b, logits), 1);
  return b.as('correct').sumAll(b.cast(b.eq(predicted, labels), 'i32'));
}

/** Σ over the batch of the mean absolute difference of a sample's outputs from its numbers [N, outputs]. */
export function absoluteError(b: ProgramBuilder, logits: Value, numbers: Value): Value {
  const outputs = fixed(logits.shape[1], 'loss: outputs');
  return b.as('error').mul(b.sumAll(b.abs(b.sub(meanOverTime(b, logits), numbers))), 1 / outputs);
}
