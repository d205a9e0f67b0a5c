import { opsById } from './graph.js';
import { productRange } from './ops/index.js';
import type { Network, Op } from './types.js';

/**
 * The matrix products of two trains whose counts may be no exact integers in float32, and how far their counts go; they
 * are potentials, not trains.
 */
export function roundedCounts(network: Network): readonly { readonly op: Op; readonly most: number }[] {
  const byId = opsById(network);
  return network.ops.flatMap((op) => {
    if (op.kind !== 'matmul' || op.type.code.kind !== 'psp') return [];
    const [a, b] = op.inputs.map((id) => byId.get(id)!.type) as [Op['type'], Op['type']];
    if (a.code.kind !== 'spike' || b.code.kind !== 'spike') return [];
    const { min, max } = productRange(a.code, b.code, a.shape.at(-1)!);
    return [{ op, most: Math.max(-min, max) }];
  });
}
