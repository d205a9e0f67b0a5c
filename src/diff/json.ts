import type { Op } from '../network/index.js';
import { printType } from '../network/index.js';
import type { CostSides, DiffView, LayerCostSides } from './present.js';
import type { FieldChange, NetworkChange, NetworkDiff, Renamed, WeightChange } from './types.js';

export interface OpJson {
  readonly id: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly type: string;
}

/** The document of `spikec diff --json`. */
export interface DiffJson {
  readonly identical: boolean;
  readonly from: string;
  readonly to: string;
  readonly network: readonly NetworkChange[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly renamed: readonly Renamed[];
  readonly changed: readonly FieldChange[];
  readonly consequences: readonly FieldChange[];
  readonly weights: readonly WeightChange[];
  readonly notes: NetworkDiff['notes'];
  readonly cost: CostSides;
  readonly cost_layers: readonly LayerCostSides[];
  /** `added` and `removed` with what they are. */
  readonly ops: { readonly added: readonly OpJson[]; readonly removed: readonly OpJson[] };
}

export function diffJson({ from, to, diff, cost, cost_layers }: DiffView): DiffJson {
  const { identical, network, renamed, changed, consequences, weights, notes, added, removed } = diff;
  const idsOf = (ops: readonly Op[]): readonly string[] => ops.map(({ id }) => id);
  return {
    identical,
    from,
    to,
    network,
    added: idsOf(added),
    removed: idsOf(removed),
    renamed,
    changed,
    consequences,
    weights,
    notes,
    cost,
    cost_layers,
    ops: { added: added.map(opJson), removed: removed.map(opJson) },
  };
}

function opJson({ id, kind, inputs, type }: Op): OpJson {
  return { id, kind, inputs, type: printType(type) };
}
