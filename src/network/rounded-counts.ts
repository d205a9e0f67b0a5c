import { opsById } from './graph.js';
import { hasRole, productRange, productTerms, roleOf } from './ops/index.js';
import type { Code } from './value-types.js';
import type { Network, Op } from './types.js';

type Spikes = Extract<Code, { kind: 'spike' }>;

/**
 * The products and sums of two trains whose counts may be no exact integers in float32, and how far their counts go; they
 * are potentials, not trains.
 */
export function roundedCounts(network: Network): readonly { readonly op: Op; readonly most: number }[] {
  const byId = opsById(network);
  return network.ops.flatMap((op) => {
    if (op.type.code.kind !== 'psp') return [];
    const [a, b] = op.inputs.map((id) => byId.get(id)!.type);
    if (a?.code.kind !== 'spike' || b?.code.kind !== 'spike') return [];
    const range = rangeOf(op, a.code, b.code, a.shape);
    return range === undefined ? [] : [{ op, most: Math.max(-range.min, range.max) }];
  });
}

/** Between which whole numbers it lies; undefined where its values count in no unit. */
function rangeOf(op: Op, a: Spikes, b: Spikes, shape: readonly number[]): Pick<Spikes, 'min' | 'max'> | undefined {
  if (hasRole(op, 'product')) return productRange(a, b, productTerms(op, shape));
  if (roleOf(op) !== 'sum' || a.step !== b.step) return undefined;
  return { min: a.min + b.min, max: a.max + b.max };
}
