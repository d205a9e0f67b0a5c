import type { Network, Op } from '../network/index.js';

/** Smallest and greatest of whole numbers. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

function isEvents(op: Op): op is Op<'encode'> {
  return op.kind === 'encode' && op.attrs.coding === 'events';
}

/** Whether a network takes a frame of events a step, which may be spikes. */
export function takesEvents(network: Network): boolean {
  return network.ops.some(isEvents);
}

/**
 * The network as it is costed on event frames of whole numbers: its input is a train of spikes of so many levels, and what
 * reads it adds. The other types stay: only sources of spikes are looked for behind it.
 */
export function withEventSpikes(network: Network, { min, max }: Range): Network {
  const ops = network.ops.map((op) =>
    isEvents(op)
      ? {
          ...op,
          type: { ...op.type, code: { kind: 'spike' as const, min: Math.min(0, min), max: Math.max(1, max), step: 1 } },
        }
      : op,
  );
  return { ...network, ops };
}
