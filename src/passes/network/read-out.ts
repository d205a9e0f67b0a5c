import { type Network, type Op, consumersOf, traitsOf } from '../../network/index.js';

/** Whether it may stand behind the read-out: it acts on decoded values. */
function actsOnReadOut(op: Op): boolean {
  const { activation, reshapes, maximum, join, fires } = traitsOf(op);
  return activation || reshapes || maximum || (join && fires === 'none');
}

/**
 * Ops at the end of the network that only outputs read, in any number: they act on what was read out, once. Sums and
 * concatenations of values of which none is read out stay before it, as what `fires` does.
 */
export function readOutTail(network: Network, fires: (op: Op) => boolean = () => false): ReadonlySet<string> {
  const consumers = consumersOf(network);
  const tail = new Set<string>();
  for (const op of network.ops.toReversed()) {
    const readers = consumers.get(op.id)!;
    const isEnd = readers.length > 0 || network.outputs.includes(op.id);
    if (isEnd && !fires(op) && actsOnReadOut(op) && readers.every(({ id }) => tail.has(id))) tail.add(op.id);
  }
  for (const op of network.ops) {
    const { join, linear } = traitsOf(op);
    if (join && linear && !op.inputs.some((id) => tail.has(id))) tail.delete(op.id);
  }
  return tail;
}
