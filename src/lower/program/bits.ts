import { elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { codeBounds } from '../../base/quantiser.js';
import { type Op, type WeightedKind, paramOf, squeezeBehind } from '../../network/index.js';
import type { ProgramBuilder, Value } from '../../tensor/index.js';
import type { Lowering, Precision } from './context.js';
import { learnedWhole, scaledGradient } from './learned.js';

/**
 * The weights of a convolution or linear layer on their grid (ABA eq. 6): Ŵ = S·clip(round(w/S), −2^(B−1), 2^(B−1) − 1),
 * for B = 1 S·sign(w), whose bounds are −1 and 1. The real weights themselves where the op has no `weight_step`.
 *
 * Gradients (ABA eq. 16-20, A.6-A.9), v = w/S: ∂Ŵ/∂w = 1 inside the bounds; ∂Ŵ/∂S = lo or hi outside, round(v) − v
 * inside; ∂Ŵ/∂B = ±S·2^(B−1)·ln 2 outside; those to S and B times g = 1/√(weights·hi).
 */
export function gridWeight(lowering: Lowering, op: Op<WeightedKind>, precision: Precision = 'f32'): Value {
  const weight = lowering.realWeight(op, 'weight', precision);
  if (op.params['weight_step'] === undefined) return weight;
  const { builder } = lowering;
  const count = elementCount(paramOf(lowering.network, op, 'weight').tensor.shape);
  const step = lowering.realWeight(op, 'weight_step', 'f32');
  const learned = op.params['weight_bits'] === undefined ? undefined : lowering.realWeight(op, 'weight_bits', 'f32');
  if (learned === undefined) {
    const bits = present(op.attrs.weight_bits, `lower: ${op.id} has no weight_bits`);
    const scaled = scaledGradient(builder, step, 1 / Math.sqrt(count * codeBounds(bits, true).hi));
    return builder.as('weight_grid').mul(scaled, fixedCodes(builder, builder.div(weight, scaled), bits));
  }
  const rounded = learnedWhole(builder, learned);
  const hi = builder.sub(builder.pow(builder.scalar('f32', 2), builder.sub(builder.detach(rounded), 1)), 1);
  const g = builder.div(builder.scalar('f32', 1), builder.sqrt(builder.mul(builder.max(hi, 1), count)));
  const bits = learnedWhole(builder, scaledGradient(builder, learned, g));
  return learnedGrid(builder, weight, scaledGradient(builder, step, g), bits);
}

/** Codes of fixed bits with straight-through gradients. */
function fixedCodes(builder: ProgramBuilder, v: Value, bits: number): Value {
  if (bits === 1) return signs(builder, v);
  const { lo, hi } = codeBounds(bits, true);
  // what is cut off has no gradient of its own: the surrogate says where codes pass one
  const codes = builder.round(v, { surrogate: 'ste', surrogate_lo: lo, surrogate_hi: hi });
  return builder.add(codes, builder.detach(builder.sub(builder.clip(codes, lo, hi), codes)));
}

/** −1 or 1, with the gradient of v where |v| ≤ 1. */
function signs(builder: ProgramBuilder, v: Value): Value {
  const sign = builder.select(builder.ge(v, 0), builder.scalar('f32', 1), -1);
  const passing = builder.clip(v, -1, 1);
  return builder.add(passing, builder.detach(builder.sub(sign, passing)));
}

/** With bits B that learn: the bounds are values, their gradient is that of the codes they cut. */
function learnedGrid(builder: ProgramBuilder, weight: Value, step: Value, bits: Value): Value {
  const half = builder.pow(builder.scalar('f32', 2), builder.sub(bits, 1));
  const one = builder.eq(builder.detach(bits), 1);
  const [lo, hi] = [builder.neg(half), builder.select(one, half, builder.sub(half, 1))];
  const v = builder.div(weight, step);
  const [above, below] = [builder.ge(v, builder.detach(hi)), builder.le(v, builder.detach(lo))];
  const inside = builder.round(v, { surrogate: 'ste' });
  const several = builder.select(above, builder.detach(hi), builder.select(below, builder.detach(lo), inside));
  const grid = builder.mul(step, builder.select(one, signs(builder, v), several));
  // of one bit too: only what lies beyond ±1 is cut off
  const bound = builder.select(above, hi, builder.select(below, lo, builder.scalar('f32', 0)));
  const pull = builder.mul(builder.detach(step), bound);
  return builder.as('weight_grid').add(grid, builder.sub(pull, builder.detach(pull)));
}

/**
 * Temporal squeezing (ABA eq. 12): x̄ = (1/T)·Σ_{t ≤ T} s_t, [TN, …] → [N, …]; the sum alone where it is one of codes. With T that learns, steps behind it are
 * masked; ∂x̄/∂T = −x̄/T, through the division.
 */
export function squeezed(lowering: Lowering, op: Op<'squeeze'>, train: Value, steps: number): Value {
  const { builder } = lowering;
  const own = learnedSteps(lowering, op, train.shape.length);
  const fixed = own === undefined ? present(op.attrs.steps, `lower: ${op.id} has no steps`) : steps;
  let sum = builder.step(train, 0);
  for (let t = 1; t < fixed; t++) {
    const step = builder.step(train, t);
    sum = builder.add(sum, own === undefined ? step : builder.mul(step, isCounted(builder, own, t)));
  }
  if (own !== undefined) return builder.as('mean').div(sum, own);
  return fixed === 1 || op.attrs.codes === true ? sum : builder.as('mean').mul(sum, 1 / fixed);
}

/** The train of a layer of neurons without the spikes behind the steps that the squeeze at its end has learned. */
export function countedTrain(lowering: Lowering, op: Op, train: Value, steps: number): Value {
  const { builder, network } = lowering;
  const squeeze = squeezeBehind(network, op);
  const own = squeeze === undefined ? undefined : learnedSteps(lowering, squeeze, train.shape.length);
  if (own === undefined) return train;
  const parts = Array.from({ length: steps }, (_, t) => {
    const step = builder.step(train, t);
    return t === 0 ? step : builder.mul(step, isCounted(builder, own, t));
  });
  return builder.as('counted').concat(parts, 0);
}

/** T of a squeeze that learns it, shaped to meet values of a rank. */
function learnedSteps(lowering: Lowering, op: Op, rank: number): Value | undefined {
  if (op.params['steps'] === undefined) return undefined;
  const { builder } = lowering;
  const flat = lowering.realWeight(op, 'steps', 'f32');
  return learnedWhole(builder, builder.reshape(flat, new Array<number>(rank).fill(1)));
}

/** 1 where step t (from 0) is one of the first T, else 0. */
function isCounted(builder: ProgramBuilder, own: Value, t: number): Value {
  return builder.cast(builder.ge(builder.detach(own), t + 1), 'f32');
}
