import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import type { Place } from '../base/source.js';
import { opsById } from './graph.js';
import { hasRole, productRange, productTerms, roleOf } from './ops/index.js';
import type { Code } from './value-types.js';
import type { Network, Op } from './types.js';

type Spikes = Extract<Code, { kind: 'spike' }>;

/**
 * The products and sums of two trains, and the means of one, whose counts may be no exact integers in float32, and how far
 * their counts go; products and sums are potentials then, not trains.
 */
function roundedCounts(network: Network): readonly { readonly op: Op; readonly most: number }[] {
  const byId = opsById(network);
  return network.ops.flatMap((op) => {
    const { code } = op.type;
    if (code.kind === 'spike') {
      // means over windows and steps count what they add up
      const added = op.inputs.some((id) => greatest(byId.get(id)!.type.code) <= exact);
      return added && greatest(code) > exact ? [{ op, most: greatest(code) }] : [];
    }
    if (code.kind !== 'psp') return [];
    const [a, b] = op.inputs.map((id) => byId.get(id)!.type);
    if (a?.code.kind !== 'spike' || b?.code.kind !== 'spike') return [];
    const range = rangeOf(op, a.code, b.code, a.shape);
    return range === undefined ? [] : [{ op, most: Math.max(-range.min, range.max) }];
  });
}

/** That float32 may round the counts of a network: a warning a layer, at the place it comes from or else at that of the network. */
export function countProblems(network: Network, place: Place): readonly Diagnostic[] {
  return roundedCounts(network).map(({ op, most }) =>
    diagnostic('network/counts-rounded', { op: op.id, kind: op.kind, most }, op.place ?? place),
  );
}

/** Beyond this, float32 has not every whole number. */
const exact = 2 ** 24;

/** The greatest code of spikes, whatever its sign; 0 of other values. */
function greatest(code: Code): number {
  return code.kind === 'spike' ? Math.max(-code.min, code.max) : 0;
}

/** Between which whole numbers it lies; undefined where its values count in no unit. */
function rangeOf(op: Op, a: Spikes, b: Spikes, shape: readonly number[]): Pick<Spikes, 'min' | 'max'> | undefined {
  if (hasRole(op, 'product')) return productRange(a, b, productTerms(op, shape));
  if (roleOf(op) !== 'sum' || a.step !== b.step) return undefined;
  return { min: a.min + b.min, max: a.max + b.max };
}
