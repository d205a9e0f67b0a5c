import { elementCount } from '../base/dtype.js';
import type { Cost, LayerCost } from '../cost/index.js';
import { type Network, opsById, optionalParam } from '../network/index.js';

/** Bits of a weighted layer and of the spikes it reads, with its part of the network. */
export interface LayerBits {
  readonly id: string;
  readonly input: LayerCost['input'];
  readonly weight_bits: number;
  readonly spike_bits: number;
  readonly steps: number;
  /** Its weights, of all weights. */
  readonly weights: number;
  /** Values it reads, of those of all weighted layers. */
  readonly features: number;
}

/** Bits layer by layer, fixed or learned, in the network's order (ABA Fig. 4). */
export function bitsOf(network: Network, { layers: costs }: Cost): readonly LayerBits[] {
  const byId = opsById(network);
  const sized = costs.flatMap((cost) => {
    const op = byId.get(cost.id);
    const weight = op === undefined ? undefined : optionalParam(network, op, 'weight');
    if (op === undefined || weight === undefined) return [];
    const features = elementCount(byId.get(op.inputs[0]!)!.type.shape);
    return [{ cost, features, weights: elementCount(weight.tensor.shape) }];
  });
  const [allFeatures, allWeights] = [sum(sized, 'features'), sum(sized, 'weights')];
  return sized.map(({ cost: { id, input, weight_bits, spike_bits, steps }, features, weights }) => ({
    id,
    input,
    weight_bits,
    spike_bits,
    steps,
    weights: weights / allWeights,
    features: features / allFeatures,
  }));
}

function sum<K extends string>(list: readonly Readonly<Record<K, number>>[], key: K): number {
  return list.reduce((total, item) => total + item[key], 0);
}
