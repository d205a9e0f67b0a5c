import { present } from '../base/invariant.js';
import { bitsFor } from '../base/quantiser.js';
import { opsById } from './graph.js';
import { isMaximum, traitsOf } from './ops/index.js';
import type { Network, Op } from './types.js';

/**
 * Whether a train's spikes are sent as unary planes, as its neuron declares (`planes unary`): what relays trains, and a
 * maximum over them, does where all that it reads does.
 */
export function unaryTrains(network: Pick<Network, 'ops' | 'neurons'>): (id: string) => boolean {
  const byId = opsById(network);
  const known = new Map<string, boolean>();
  const find = (id: string): boolean => {
    const done = known.get(id);
    if (done !== undefined) return done;
    const found = isUnary(present(byId.get(id), `spike form: no op ${id}`));
    known.set(id, found);
    return found;
  };
  const isUnary = (op: Op): boolean => {
    if (op.kind === 'neuron') return network.neurons.get(op.attrs.neuron)?.planes === 'unary';
    const { fires, relays } = traitsOf(op);
    return (relays || isMaximum(op) || fires === 'means') && op.inputs.length > 0 && op.inputs.every(find);
  };
  return find;
}

/** Planes that codes from `min` to `max` are sent in: the bits of their size, or one for each unit of it. */
export function planesFor({ min, max }: { readonly min: number; readonly max: number }, unary: boolean): number {
  const size = Math.max(max, -min);
  return unary ? size : bitsFor(size + 1);
}
