import { present } from '../../base/invariant.js';
import { type Dim, type Value, stepsOf } from '../../tensor/index.js';
import type { Act, LoweredOp, LoweringContext, Precision } from './lowering.js';

interface NormAttrs {
  readonly epsilon: number;
  readonly momentum?: number;
  readonly threshold?: number;
  readonly axis?: number;
}

type NormOp = LoweredOp<NormAttrs>;

/**
 * Batch norm: y = α·γ·(x − μ)/√(σ² + ε) + β, per channel, α = the op's `threshold` (tdBN) or 1.
 *
 * In training μ and σ² are those of the batch over samples, steps and positions, and running
 * statistics move towards them: r ← r + m·(batch − r), the variance's with n/(n − 1). Both
 * sums are taken in one pass of x − μ_r, the running mean: Var x = E(x − μ_r)² − (E x − μ_r)²,
 * which stays exact in float32 because μ_r is near E x. A value constant in time counts
 * for all its steps.
 */
export const normalised: Act<NormAttrs> = ({ lowering, dtype }, op, [x]) =>
  lowering.mode === 'train' ? trained(lowering, op, x!) : inferred(lowering, op, x!, dtype);

interface Parts {
  readonly gamma: Value;
  readonly beta: Value;
  readonly mean: Value;
  readonly variance: Value;
}

function partsOf(lowering: LoweringContext, op: NormOp, dtype: Precision): Parts {
  const part = (role: string): Value => {
    const value = lowering.perChannel(op, role, dtype, op.type.shape.length, op.attrs.axis);
    return typeof value === 'object'
      ? value
      : lowering.builder.scalar(dtype, present(value, `lower: ${op.id}: ${role}`));
  };
  return { gamma: part('gamma'), beta: part('beta'), mean: part('mean'), variance: part('variance') };
}

/** Multiplied by γ and, for tdBN, the threshold. */
function withGain(lowering: LoweringContext, op: NormOp, inverse: Value, gamma: Value): Value {
  const { builder } = lowering;
  const threshold = op.attrs.threshold ?? 1;
  const gain = builder.as('gain').mul(inverse, gamma);
  return threshold === 1 ? gain : builder.mul(gain, threshold);
}

function inferred(lowering: LoweringContext, op: NormOp, x: Value, dtype: Precision): Value {
  const { builder } = lowering;
  const { gamma, beta, mean, variance } = partsOf(lowering, op, dtype);
  const inverse = builder.div(builder.scalar(dtype, 1), builder.sqrt(builder.add(variance, op.attrs.epsilon)));
  return builder.add(builder.mul(builder.sub(x, mean), withGain(lowering, op, inverse, gamma)), beta);
}

function trained(lowering: LoweringContext, op: NormOp, x: Value): Value {
  const { builder } = lowering;
  const { gamma, beta, mean, variance } = partsOf(lowering, op, 'f32');
  const rank = x.shape.length;
  const own = 1 + (op.attrs.axis ?? 0);
  const axes = Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== own);
  const positions = op.type.shape.reduce((product, n, axis) => (axis + 1 === own ? product : product * n), 1);
  const samples = builder.batchSize('f32');
  const count = builder.as('count').mul(samples, stepsOf(x) * positions);
  const over = (value: Value): Value => {
    const sum = builder.sum(value, axes, true);
    // without the batch axis: [1, C, 1, 1] → the params' shape
    return builder.reshape(sum, mean.shape as Dim[]);
  };
  const shifted = builder.as('shifted').sub(x, mean);
  const offset = builder.as('offset').div(over(shifted), count);
  // E x², written so that its gradient 2·x is one product an element and not two and their sum
  const half = builder.div(over(builder.mul(shifted, builder.detach(shifted))), count);
  const spread = builder.sub(builder.mul(half, 2), builder.detach(half));
  const batchVariance = builder.as('batch_variance').max(builder.sub(spread, builder.mul(offset, offset)), 0);
  const inverse = builder
    .as('inverse')
    .div(builder.scalar('f32', 1), builder.sqrt(builder.add(batchVariance, op.attrs.epsilon)));
  // γ·(x − μ)/σ + β with everything per channel gathered: one product and one sum an element
  const gain = withGain(lowering, op, inverse, gamma);
  const shift = builder.as('shift').sub(beta, builder.mul(offset, gain));
  const y = builder.as('y').add(builder.mul(shifted, gain), shift);
  replaceStatistics(lowering, op, {
    mean,
    variance,
    offset,
    batchVariance,
    count,
    repeats: lowering.steps / stepsOf(x),
  });
  return y;
}

interface Statistics {
  readonly mean: Value;
  readonly variance: Value;
  /** Batch mean − running mean. */
  readonly offset: Value;
  readonly batchVariance: Value;
  readonly count: Value;
  readonly repeats: number;
}

function replaceStatistics(lowering: LoweringContext, op: NormOp, s: Statistics): void {
  const { builder } = lowering;
  const momentum = op.attrs.momentum ?? 0.1;
  const all = s.repeats === 1 ? s.count : builder.mul(s.count, s.repeats);
  const unbiased = builder.mul(builder.detach(s.batchVariance), builder.div(all, builder.max(builder.sub(all, 1), 1)));
  const nextMean = builder.as('next_mean').add(s.mean, builder.mul(builder.detach(s.offset), momentum));
  const nextVariance = builder
    .as('next_variance')
    .add(s.variance, builder.mul(builder.sub(unbiased, s.variance), momentum));
  lowering.replace[op.params['mean']!] = nextMean.id;
  lowering.replace[op.params['variance']!] = nextVariance.id;
}
