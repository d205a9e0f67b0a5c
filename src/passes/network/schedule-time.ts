import { isNeuronLayer, latencyOf, scheduled } from '../../network/index.js';
import { defaulted, everyLayer, perLayer, whole } from '../options/index.js';
import { definePass } from '../pass.js';
import { reportUnmatched } from '../report-unmatched.js';

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
    const timed = scheduled(network, (id) => silent.of(id) ?? 0);
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
