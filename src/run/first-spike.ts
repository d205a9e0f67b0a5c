import { stepsOfNetwork } from '../lower/program/index.js';
import { type Network, opsById } from '../network/index.js';
import type { Outputs } from './metrics/index.js';
import type { FirstSpike } from './types.js';

/** When the earliest spike of an output comes, where that is what is read of it. */
export function firstSpikeOf(
  network: Network,
  id: string | undefined,
  { classes, data }: Outputs,
): { readonly first_spike?: FirstSpike } {
  const op = opsById(network).get(id ?? '');
  if (op?.kind !== 'decode' || op.attrs.readout !== 'first_spike') return {};
  const steps = stepsOfNetwork(network);
  const samples = data.length / Math.max(1, classes);
  let [decided, sum] = [0, 0];
  for (let start = 0; start < data.length; start += classes) {
    const most = data.subarray(start, start + classes).reduce((a, b) => Math.max(a, b), 0);
    if (most === 0) continue;
    decided++;
    sum += steps + 1 - most;
  }
  return {
    first_spike: { ...(decided === 0 ? {} : { step: sum / decided }), share: samples === 0 ? 0 : decided / samples },
  };
}
