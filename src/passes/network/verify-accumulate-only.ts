import { type Network, type Op, opsById, traitsOf } from '../../network/index.js';
import { definePass } from '../pass.js';
import { channelAttentions } from './channel-attention.js';

/** Whether each of its outputs sums its inputs under weights. */
function sums(op: Op): boolean {
  const { weights } = traitsOf(op);
  return weights === 'matrix' || weights === 'kernel';
}

/** A real input current, moved or averaged: the layer that weighs it belongs to the encoder. */
export function frontOf(network: Network): ReadonlySet<string> {
  const front = new Set<string>();
  for (const op of network.ops) {
    const real = op.kind === 'encode' && op.type.code.kind === 'real';
    const follows = traitsOf(op).linear && !sums(op) && op.inputs.every((id) => front.has(id));
    if (real || follows) front.add(op.id);
  }
  return front;
}

function problemOf(op: Op, byId: ReadonlyMap<string, Op>, front: ReadonlySet<string>): string | undefined {
  const input = op.inputs.map((id) => byId.get(id)!).find((from) => from.type.time !== undefined);
  if (input === undefined) return undefined;
  // the greatest of some spikes is one of them
  if (traitsOf(op).fires === 'chosen' && input.type.code.kind === 'spike') return undefined;
  if (!traitsOf(op).accumulates && op.type.time !== undefined) return input.type.code.kind;
  if (sums(op) && input.type.code.kind !== 'spike' && !front.has(input.id)) return input.type.code.kind;
  return undefined;
}

/** The ops that multiply something other than spikes after the encoder, channel attentions apart. */
export function multiplyingOps(network: Network): readonly { readonly op: Op; readonly code: string }[] {
  const byId = opsById(network);
  const front = frontOf(network);
  const declared = new Set(channelAttentions(network).flatMap(({ ops }) => ops.map(({ id }) => id)));
  return network.ops.flatMap((op) => {
    const code = declared.has(op.id) ? undefined : problemOf(op, byId, front);
    return code === undefined ? [] : [{ op, code }];
  });
}

const inWords: Readonly<Record<string, string>> = { psp: 'membrane current (psp)', quant: 'quantised' };
const help = 'put an activation (a relu, or a layer of neurons) between this layer and the weighted layer before it';

/**
 * Checks that the network only accumulates: beyond the encoder no synapse multiplies a real value. The one
 * exception is channel attention, whose gate weighs membrane currents by its definition; a note says where it is
 * and how many products it takes.
 */
export const verifyAccumulateOnly = definePass({
  name: 'verify-accumulate-only',
  doc: 'Checks that beyond the encoder every weighted synapse reads spikes: additions only, no multiplication of real values. The one exception, said in a note, is the gate of a channel attention.',
  options: {},
  run: (network, _options, context) => {
    for (const { op, code } of multiplyingOps(network)) {
      context.report('convert/mac-on-real', { op: op.id, kind: op.kind, code: inWords[code] ?? code }, op, { help });
    }
    const attentions = channelAttentions(network);
    const [first] = attentions;
    if (first !== undefined) {
      const products = attentions.reduce((sum, attention) => sum + attention.products, 0);
      const where = attentions.map(({ mul }) => `%${mul.id}`).join(', ');
      context.report('convert/attention-gate', { gates: attentions.length, products }, first.mul, { help: where });
    }
    return network;
  },
});
