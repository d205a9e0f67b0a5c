import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type Config, bitValues } from '../model/index.js';
import { BitPlan } from '../lower/model-to-network/index.js';
import { type BitHolder, type BitKind, type BitPenalty, bitKinds, learnedBitsOf } from '../lower/program/index.js';
import type { Network } from '../network/index.js';
import { type BitTraining, quantisedTensors } from '../train/index.js';

/**
 * What training does for a config's learned bits: a penalty for each kind and target, over the layers that share it,
 * and their learning rates as factors on the optimiser's. Undefined where the config has no `bits`.
 */
export function bitTraining(config: Config, network: Network, rate: number): BitTraining | undefined {
  const { bits } = config;
  if (bits === undefined) return undefined;
  const plan = new BitPlan(bits, config.coding);
  const { distance, renewal = 'spikes', settle } = bitValues(bits.settings);
  const penalties = new Map<string, { readonly penalty: Omit<BitPenalty, 'ops'>; readonly ops: string[] }>();
  const rateFactors: Record<string, number> = {};
  for (const kind of bitKinds) {
    for (const holder of learnedBitsOf(network, kind)) {
      const setting = plan.of(kind, layerOf(kind, holder));
      if (typeof setting !== 'object') continue;
      rateFactors[holder.op.params[holder.role]!] = setting.rate / rate;
      const penalty = { kind, target: setting.target, penalty: setting.penalty, distance } as const;
      const key = JSON.stringify(penalty);
      const known = penalties.get(key);
      if (known === undefined) penalties.set(key, { penalty, ops: [holder.op.id] });
      else known.ops.push(holder.op.id);
    }
  }
  return {
    penalties: [...penalties.values()].map(({ penalty, ops }) => ({ ...penalty, ops })),
    renewal,
    rateFactors,
    ...(settle === undefined ? {} : { settle }),
  };
}

/** Renewal of spikes that a config asks for, and that no neuron has a learned step size for. */
export function renewalProblems({ bits, place }: Config, network: Network): readonly Diagnostic[] {
  const asked = bits?.settings.renewal === 'spikes' || bits?.settings.renewal === 'all';
  if (!asked || learnedBitsOf(network, 'spikes').length === 0) return [];
  const renews = quantisedTensors(network).some(({ kind }) => kind === 'spikes');
  return renews ? [] : [diagnostic('train/nothing-to-renew', {}, bits?.place ?? place)];
}

/** The layer of the model file that holds the bits: of steps, the neurons whose train is squeezed. */
function layerOf(kind: BitKind, { op }: BitHolder): string {
  return kind === 'steps' ? op.inputs[0]! : op.id;
}
