import { type Network, type Op, type OpRole, consumersOf, roleOf, traitsOf } from '../../network/index.js';

/** What may stand behind the read-out: functions of each value, other orders of them, and joins. */
const actingOnReadOut: Readonly<Record<OpRole, boolean>> = {
  bound: true,
  function: true,
  'group-function': true,
  quantiser: true,
  reshape: true,
  maximum: true,
  'running-maximum': true,
  sum: true,
  concatenation: true,
  input: false,
  encoder: false,
  'read-out': false,
  neurons: false,
  weighted: false,
  mixing: false,
  scaling: false,
  norm: false,
  average: false,
  border: false,
  product: true,
  table: false,
  'whole-input': false,
  same: false,
  delay: false,
  lag: false,
  'step-mixing': false,
  planes: false,
  gather: false,
  squeeze: false,
};

/** Whether it acts on decoded values. */
function actsOnReadOut(op: Op): boolean {
  return actingOnReadOut[roleOf(op)];
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
    if (traitsOf(op).join && !op.inputs.some((id) => tail.has(id))) tail.delete(op.id);
  }
  return tail;
}
