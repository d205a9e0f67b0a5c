import { elementCount } from '../../base/dtype.js';
import { type Network, type Op, attrsOf, paramOf, hasWeightMatrix } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import { type BitKind, bitKinds } from '../model-to-network/bits.js';
import { learnedWhole } from './learned.js';
import type { Lowering } from './context.js';
import { outputNames } from './runnable.js';

export { type BitKind, bitKinds } from '../model-to-network/bits.js';

/** One term of the regularised loss (ABA eq. 21): λ·|B̄ − target|, or its square. */
export interface BitPenalty {
  readonly kind: BitKind;
  readonly target: number;
  /** λ */
  readonly penalty: number;
  readonly distance: 'absolute' | 'square';
  /** Ids of the ops whose bits are averaged. */
  readonly ops: readonly string[];
}

/** A tensor whose bits (or a train whose steps) are given or learned. */
export interface BitHolder {
  readonly op: Op;
  /** Role of the learned number among the op's parameters, and the attribute of a fixed one. */
  readonly role: 'weight_bits' | 'bits' | 'steps';
  /** What averages are weighted with: weights, or neurons. */
  readonly size: number;
}

/** All ops that hold bits of a kind. */
export function bitHolders(network: Network, kind: BitKind): readonly BitHolder[] {
  return network.ops.flatMap((op): BitHolder[] => {
    const neurons = elementCount(op.type.shape);
    if (kind === 'weights' && hasWeightMatrix(op) && holds(op, 'weight_bits')) {
      const size = elementCount(paramOf(network, op, 'weight').tensor.shape);
      return [{ op, role: 'weight_bits', size }];
    }
    if (kind === 'spikes' && op.kind === 'neuron' && holds(op, 'bits')) return [{ op, role: 'bits', size: neurons }];
    if (kind === 'steps' && op.kind === 'squeeze') return [{ op, role: 'steps', size: neurons }];
    return [];
  });
}

function holds(op: Op, role: string): boolean {
  return op.params[role] !== undefined || typeof attrsOf(op)[role] === 'number';
}

/** Those of them that learn. */
export function learnedBitsOf(network: Network, kind: BitKind): readonly BitHolder[] {
  return bitHolders(network, kind).filter(({ op, role }) => op.params[role] !== undefined);
}

/** The task's loss plus the penalties; each term is an output too, where there are any. */
export function regularised(lowering: Lowering, task: Value, penalties: readonly BitPenalty[]): Value {
  if (penalties.length === 0) return task;
  const { builder } = lowering;
  builder.output(outputNames.task, task);
  let total = task;
  for (const kind of bitKinds) {
    const terms = penalties.filter((one) => one.kind === kind).map((one) => term(lowering, one));
    if (terms.length === 0) continue;
    const sum = terms.reduce((a, b) => builder.add(a, b));
    builder.output(outputNames.penalty(kind), sum);
    total = builder.add(total, sum);
  }
  return total;
}

/** B̄ = Σ n·round(B̂)/Σ n over the ops; its distance to the target times λ. */
function term(lowering: Lowering, { kind, target, penalty, distance, ops }: BitPenalty): Value {
  const { builder, network } = lowering;
  builder.at('bits', kind);
  const holders = learnedBitsOf(network, kind).filter(({ op }) => ops.includes(op.id));
  const total = holders.reduce((sum, { size }) => sum + size, 0);
  const parts = holders.map(({ op, role, size }) => {
    const bits = builder.reshape(lowering.realWeight(op, role, 'f32'), []);
    return builder.mul(learnedWhole(builder, bits), size / total);
  });
  const away = builder.sub(
    parts.reduce((a, b) => builder.add(a, b)),
    target,
  );
  builder.at(undefined);
  return builder.mul(distance === 'square' ? builder.mul(away, away) : builder.abs(away), penalty);
}
