import { elementCount } from '../base/dtype.js';
import type { Cost } from '../cost/index.js';
import { type Network, type Op, opsById, optionalParam } from '../network/index.js';

/** Bits of a weighted layer and of the spikes it reads, with its part of the network. */
export interface LayerBits {
  readonly id: string;
  readonly weight_bits: number;
  readonly spike_bits: number;
  readonly steps: number;
  /** Which of the three were learned. */
  readonly learned: readonly ('weight_bits' | 'spike_bits' | 'steps')[];
  /** Its weights, of all weights. */
  readonly weights: number;
  /** Values it reads, of those of all weighted layers. */
  readonly features: number;
}

/** A number that is learned (a param [1] with `ROLE_max` beside it) or fixed (an attribute). */
function numberOf(
  network: Network,
  op: Op,
  role: 'bits' | 'steps' | 'weight_bits',
): { readonly value: number; readonly learned: boolean } | undefined {
  const most = op.attrs[`${role}_max`];
  const param = optionalParam(network, op, role);
  if (param !== undefined && typeof most === 'number') {
    const value = Math.round(Math.min(most, Math.max(1, param.tensor.data[0]!)));
    return { value, learned: true };
  }
  const fixed = op.attrs[role];
  return typeof fixed === 'number' ? { value: fixed, learned: false } : undefined;
}

const passing = new Set(['avgpool', 'globalavgpool', 'flatten', 'reshape', 'delay', 'identity', 'dropout', 'pad']);

/** Bits layer by layer, in the network's order (ABA Fig. 4). */
export function bitsOf(network: Network, cost: Cost): readonly LayerBits[] {
  const byId = opsById(network);
  const layers = cost.layers.filter(({ id }) => byId.has(id) && byId.get(id)!.params['weight'] !== undefined);
  const sum = (value: (id: string) => number): number => layers.reduce((total, { id }) => total + value(id), 0);
  const features = (id: string): number => elementCount(byId.get(byId.get(id)!.inputs[0]!)!.type.shape);
  const weights = (id: string): number =>
    elementCount(network.params.get(byId.get(id)!.params['weight']!)!.tensor.shape);
  const [allFeatures, allWeights] = [sum(features), sum(weights)];
  return layers.map(({ id, weight_bits: costBits, spike_bits: costSpikes, steps: costSteps }) => {
    const op = byId.get(id)!;
    const weight = numberOf(network, op, 'weight_bits');
    let from = byId.get(op.inputs[0]!)!;
    let steps: ReturnType<typeof numberOf>;
    while (from.inputs.length > 0 && ((from.kind as string) === 'squeeze' || passing.has(from.kind))) {
      if ((from.kind as string) === 'squeeze') steps = numberOf(network, from, 'steps');
      from = byId.get(from.inputs[0]!)!;
    }
    const spike = from.kind === 'neuron' ? numberOf(network, from, 'bits') : undefined;
    return {
      id,
      weight_bits: weight?.value ?? costBits,
      spike_bits: spike?.value ?? costSpikes,
      steps: steps?.value ?? costSteps,
      learned: [
        ...(weight?.learned === true ? (['weight_bits'] as const) : []),
        ...(spike?.learned === true ? (['spike_bits'] as const) : []),
        ...(steps?.learned === true ? (['steps'] as const) : []),
      ],
      weights: weights(id) / allWeights,
      features: features(id) / allFeatures,
    };
  });
}
