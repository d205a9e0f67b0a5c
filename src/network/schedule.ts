import { isNeuronLayer } from './graph.js';
import { traitsOf } from './ops/index.js';
import { type Rewriter, rewrite } from './rewrite.js';
import type { Network, Op } from './types.js';

/** Delays the operands that arrive early until the last one does. */
function aligned(op: Op, inputs: readonly string[], to: Rewriter): readonly string[] {
  const starts = inputs.map((id) => to.builder.typeOf(id).time?.start ?? 0);
  const latest = Math.max(...starts);
  return inputs.map((id, n) => {
    const steps = latest - starts[n]!;
    if (steps === 0) return id;
    const delayed = `${id}.delay${steps}`;
    if (to.builder.has(delayed)) return delayed;
    return to.builder.add({ id: delayed, kind: 'delay', inputs: [id], attrs: { steps }, place: op.place });
  });
}

/**
 * Gives every layer its silent period, by its id, and so its time: a layer receives at its input's steps and fires so many later.
 * Paths of unequal depth that meet get delay lines.
 */
export function scheduled(network: Network, silentOf: (id: string) => number): Network {
  return rewrite(network, (op, inputs, to) => {
    if (op.kind === 'neuron') return to.copy(op, inputs, { attrs: { ...op.attrs, silent: silentOf(op.id) } });
    const timely = traitsOf(op).join ? aligned(op, inputs, to) : inputs;
    if (!isNeuronLayer(op)) return to.copy(op, timely);
    // it decides on its whole input
    const whole = Math.max(...timely.map((id) => to.builder.typeOf(id).time?.steps ?? 0));
    return to.copy(op, timely, { attrs: { ...op.attrs, silent: whole } });
  });
}
