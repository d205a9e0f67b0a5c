import { type Op, isNeuronLayer, latencyOf, rewrite, traitsOf } from '../../network/index.js';
import type { Rewriter } from '../../network/rewrite.js';
import { defaulted, everyLayer, perLayer, whole } from '../options/index.js';
import { definePass } from '../pass.js';
import { reportUnmatched } from '../report-unmatched.js';

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
 * Gives every layer its silent period and so its time: a layer receives at its input's steps and fires
 * Ts later. Paths of unequal depth that meet get delay lines; the latency is that of the longest path
 * (SWS eq. 6 where Ts is the same everywhere).
 */
export const scheduleTime = definePass({
  name: 'schedule-time',
  doc: 'Gives each neuron layer its silent period, places everything in time, and puts delay lines where paths of unequal depth meet.',
  options: {
    silent: defaulted(
      perLayer(whole(0, 4096)),
      'Silent steps Ts: how long a layer of neurons receives before it fires.',
      everyLayer(2),
      '2',
    ),
  },
  run: (network, { silent }, context) => {
    const layers = network.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id);
    reportUnmatched(silent, layers, context);
    const timed = rewrite(network, (op, inputs, to) => {
      if (op.kind === 'neuron') return to.copy(op, inputs, { attrs: { ...op.attrs, silent: silent.of(op.id) ?? 0 } });
      const timely = traitsOf(op).join ? aligned(op, inputs, to) : inputs;
      if (!isNeuronLayer(op)) return to.copy(op, timely);
      // it decides on its whole input
      const whole = Math.max(...timely.map((id) => to.builder.typeOf(id).time?.steps ?? 0));
      return to.copy(op, timely, { attrs: { ...op.attrs, silent: whole } });
    });
    if (timed.coding === undefined) return timed;
    const periods = [...new Set(timed.ops.flatMap((op) => (op.kind === 'neuron' ? [op.attrs.silent ?? 0] : [])))];
    const same = periods.length === 1 ? { silent: periods[0]! } : {};
    const steps = Number(timed.coding.args['steps']);
    const longest = Math.max(0, ...timed.ops.filter(isNeuronLayer).map((op) => Number(op.attrs.silent)));
    const note = `latency ${latencyOf(timed)} steps, one input every ${steps + longest} steps`;
    return {
      ...timed,
      coding: { ...timed.coding, args: { ...timed.coding.args, ...same } },
      notes: [...timed.notes, note],
    };
  },
});
