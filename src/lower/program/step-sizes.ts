import { type Network, type Op, opsById, roleOf } from '../../network/index.js';

/** Whether its values are some of those that it reads, in their places. */
function chooses(op: Op): boolean {
  return roleOf(op) === 'maximum' || roleOf(op) === 'same';
}

/**
 * What one level of a value's spikes is worth, channel by channel: the step of its code; of joined trains each one's
 * own; of a sum the common one. Undefined for real values, and for sums of trains whose steps differ: they count no
 * levels.
 */
export function stepSizes(network: Network, id: string): readonly number[] | undefined {
  const byId = opsById(network);
  const find = (one: string): readonly number[] | undefined => {
    const op = byId.get(one)!;
    const { inputs, type } = op;
    if (type.code.kind === 'spike') return new Array<number>(type.shape[0]!).fill(type.code.step);
    if (chooses(op)) return find(inputs[0]!);
    const role = roleOf(op);
    if (role !== 'concatenation' && role !== 'sum') return undefined;
    const parts = inputs.map(find);
    if (!parts.every((part) => part !== undefined)) return undefined;
    if (role === 'concatenation') return parts.flat();
    const [a, b] = parts as [readonly number[], readonly number[]];
    return a.every((step, channel) => step === b[channel]) ? a : undefined;
  };
  return find(id);
}
