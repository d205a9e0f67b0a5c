import { elementCount } from '../../base/dtype.js';
import type { Network, Op } from '../../network/types.js';
import type { SourceInput } from './inputs.js';

interface Read {
  readonly network: Network;
  readonly row: SourceInput;
  /** The inputs whose numbers are in the row, in its order. */
  readonly read: readonly SourceInput[];
  /** The others: the outputs depend on none of their numbers. */
  readonly unread: readonly SourceInput[];
}

/**
 * A network without those parts of its row, [features], that nothing reads, as masks that a file declares and doesn't use, or
 * whose sizes alone it uses: the row has the numbers of the others. A network that reads none, or has a single input, stays.
 */
export function withoutUnread(network: Network, row: SourceInput, inputs: readonly SourceInput[]): Read {
  const whole = network.ops.find(({ kind }) => kind === 'input');
  const parts = new Map<string, Op>();
  for (const op of network.ops)
    if (op.kind === 'slice' && op.inputs[0] === whole?.id && op.origin !== undefined) parts.set(op.origin, op);
  const read = inputs.filter(({ name }) => parts.has(name));
  if (whole === undefined || inputs.length === 1 || read.length === 0 || read.length === inputs.length)
    return { network, row, read: inputs, unread: [] };
  const starts = new Map<string, number>();
  let size = 0;
  for (const { name, shape } of read) {
    starts.set(parts.get(name)!.id, size);
    size += elementCount(shape);
  }
  const ops = network.ops.map((op): Op => {
    if (op.kind === 'input')
      return { ...op, attrs: { ...op.attrs, shape: [size] }, type: { ...op.type, shape: [size] } };
    const start = starts.get(op.id);
    if (op.kind !== 'slice' || start === undefined) return op;
    return { ...op, attrs: { ...op.attrs, start, end: start + elementCount(op.type.shape) } };
  });
  const unread = inputs.filter(({ name }) => !parts.has(name));
  return { network: { ...network, ops }, row: { ...row, shape: [size] }, read, unread };
}
