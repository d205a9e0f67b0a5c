import { type Network, opsById } from '../../network/index.js';

/** Ops that keep both the channels and the step sizes of spikes. */
const keeping: ReadonlySet<string> = new Set(['maxpool', 'dropout', 'identity']);

/**
 * What one level of a value's spikes is worth, channel by channel: the step of its code; of joined trains each one's
 * own; of a sum the common one. Undefined for real values, and for sums of trains whose steps differ: they count no
 * levels.
 */
export function stepSizes(network: Network, id: string): readonly number[] | undefined {
  const byId = opsById(network);
  const find = (one: string): readonly number[] | undefined => {
    const { kind, inputs, type } = byId.get(one)!;
    if (type.code.kind === 'spike') return new Array<number>(type.shape[0]!).fill(type.code.step);
    if (keeping.has(kind)) return find(inputs[0]!);
    if (kind !== 'concat' && kind !== 'add') return undefined;
    const parts = inputs.map(find);
    if (!parts.every((part) => part !== undefined)) return undefined;
    if (kind === 'concat') return parts.flat();
    const [a, b] = parts as [readonly number[], readonly number[]];
    return a.every((step, channel) => step === b[channel]) ? a : undefined;
  };
  return find(id);
}
