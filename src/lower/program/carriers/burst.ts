import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering } from '../context.js';
import { dendrite, equationsOf } from './dendrite.js';
import { maxOfCounts } from './means-time.js';
import { means } from './means.js';
import { codingNumber, constantCurrent, signed, sizeAndSign, trainOfNeuron } from './worth.js';

/** `Burst` of spikec/neurons, which encodes. */
export const burstNeuron = equationsOf(`Burst(theta = 0.125, beta = 2, longest : int = 5) {
  state u = 0
  state g = 1
  charge u = u + x
  fire s = u >= g * theta
  reset u = u - s * g * theta
  reset g = where(s != 0, min(g * beta, beta ^ longest), 1)
  surrogate rectangle(width: 1)
}`);

const worthOf = dendrite(`BurstWorth(theta, beta, longest) {
  state u = 0
  state g = 1
  charge u = x
  fire s = u * g * theta
  reset g = where(u != 0, min(g * beta, beta ^ longest), 1)
}`);

const names = ['theta', 'beta', 'longest'] as const;

function argsOf(lowering: Lowering): Record<(typeof names)[number], number> {
  const [theta, beta, longest] = names.map((name) => codingNumber(lowering, name)) as [number, number, number];
  return { theta, beta, longest };
}

/** The input as the burst neuron fires under a constant current of its size, with its sign. */
function encoded(lowering: Lowering, op: Op, x: Value): Value {
  const { size, sign } = sizeAndSign(lowering, op, x);
  return signed(
    lowering,
    trainOfNeuron(lowering, op, burstNeuron, argsOf(lowering), constantCurrent(lowering, size)),
    sign,
  );
}

/**
 * `burst` (Park et al. 2019): the n-th spike in a row counts θ·β^(n−1). A maximum over windows is that of what its trains
 * have been worth so far; it sends an event where that grows, which says by how much.
 */
export const burst = means({
  coding: 'burst',
  doc: 'means over the steps; each spike of a burst counts β times as much as the one before it',
  encode: (lowering, op, x) => (op.type.code.kind === 'spike' ? encoded(lowering, op, x) : x),
  worth: (lowering, op, spikes) => worthOf(lowering, op, spikes, argsOf(lowering)),
  maximum: (lowering, op, { worth }) => {
    const grown = maxOfCounts(lowering, op, worth);
    const { builder } = lowering;
    return { worth: grown, train: () => builder.at(op.id).as('events').cast(builder.gt(grown, 0), 'f32') };
  },
  conversion: {
    neuron: ({ theta, beta, longest }) => ({ name: 'Burst', args: { theta: theta!, beta: beta!, longest: longest! } }),
    top: () => 1,
    problem: ({ steps, theta, beta, longest }) => {
      let most = 0;
      for (let t = 0; t < steps!; t++) most += theta! * beta! ** Math.min(t, longest!);
      if (most >= steps!) return undefined;
      return {
        reason: `${steps} steps of bursts carry ${Number((most / steps!).toPrecision(3))} of a layer's range at most`,
        help: 'more steps, a larger theta or beta, or longer bursts',
      };
    },
  },
});
