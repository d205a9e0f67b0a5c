import type { Tensor } from '../../../base/dtype.js';
import { type Op, optionalParam } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import type { Train } from '../trains.js';

/** Below this, f32 holds every whole number. */
const exactInF32 = 2 ** 24;

/**
 * The first m steps of a train as weighted sums of a few steps each, so few that what a layer of whole-number weights adds up of
 * them stays exact in f32, whatever the spikes; later steps as they are.
 */
export interface Pieces {
  /** With time folded into the batch: what a synapse acts on. */
  readonly whole: Value;
  readonly count: number;
  /** What each of the first pieces counts in the sum of the first m steps; alone, 1. */
  readonly factors: readonly number[];
}

export function exactPieces(lowering: Lowering, op: Op, from: Op, train: Train, m: number): Pieces {
  const later = train.steps - m;
  const most = exactSteps(lowering, op, from, train.ratio, m);
  if (most >= m) return { whole: train.grouped(m), count: later + 1, factors: [1] };
  const { builder } = lowering;
  const parts: Value[] = [];
  const factors: number[] = [];
  for (let done = 0; done < m;) {
    const end = Math.min(m, done + most);
    const prefix = train.prefix(end);
    const before = done === 0 ? undefined : train.prefix(done);
    builder.at(train.id);
    parts.push(before === undefined ? prefix : builder.sub(prefix, builder.mul(before, train.ratio ** (end - done))));
    factors.push(train.ratio ** (m - end));
    done = end;
  }
  for (let k = m + 1; k <= train.steps; k++) parts.push(train.step(k));
  return { whole: builder.at(train.id).concat(parts, 0), count: factors.length + later, factors };
}

/** Steps, at least one and at most `m`, whose weighted sums an op adds up without rounding. */
function exactSteps(lowering: Lowering, op: Op, from: Op, ratio: number, m: number): number {
  const { code } = from.type;
  const param = optionalParam(lowering.network, op, 'weight');
  // sums of weights with fractions are rounded anyway
  if (m === 1 || code.kind !== 'spike' || param === undefined || param.tensor.dtype === 'f32') return m;
  const level = Math.max(Math.abs(code.min), Math.abs(code.max));
  const capacity = (steps: number): number => level * (ratio === 1 ? steps : (ratio ** steps - 1) / (ratio - 1));
  const norm = rowNorm(param.tensor);
  let steps = m;
  while (steps > 1 && norm * capacity(steps) > exactInF32) steps--;
  return steps;
}

/** Whether a layer of whole-number weights [outputs, …] adds up inputs of at most `level` exactly in f32. */
export function sumsAreExact(weights: Tensor, level: number): boolean {
  return rowNorm(weights) * level < exactInF32;
}

/** The largest sum of the sizes of an output's weights. */
function rowNorm({ data, shape }: Tensor): number {
  const rows = shape[0]!;
  const length = data.length / rows;
  let norm = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * length; i < (row + 1) * length; i++) sum += Math.abs(data[i]!);
    if (sum > norm) norm = sum;
  }
  return norm;
}
