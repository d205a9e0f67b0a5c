import { type BitAllocation, bitChoices, costTextOf } from '../allocation/bits.js';
import { leastCost, solveKnapsack } from '../allocation/knapsack.js';
import { defaulted, oneOf, optional, real, required, whole } from '../options/index.js';
import { definePass } from '../pass.js';
import { withWeightBits } from './quantise-weights.js';

/**
 * Chooses bits for the weights of each layer so that the measured errors add up to the least within a budget, and
 * quantises the weights to them. The errors are those of the network's output when one layer alone has these bits;
 * that they add up is an assumption, good as long as each is small.
 */
export const allocateBits = definePass({
  name: 'allocate-bits',
  doc: 'Chooses the bits of weights layer by layer for a budget, from the measured error of each choice (an exact knapsack; greedy where it grows too large), and quantises to them.',
  options: {
    choices: required(
      bitChoices,
      'For each layer the bits that it may have: what they cost, and the error they bring.',
    ),
    budget: required(real(-Infinity), 'What the choices may cost together.'),
    unit: defaulted(oneOf(['bits', 's_ace']), 'What costs are: bits of weights, or S-ACE.', 'bits'),
    fixed: defaulted(
      real(-Infinity),
      'What the other layers cost, in bytes or in S-ACE: for what is said to users.',
      0,
    ),
    states: optional(
      whole(1, 10_000_000),
      'Partial sums that the exact search may keep; beyond, bits are found greedily.',
    ),
  },
  run: (network, allocation: BitAllocation, context) => {
    const { choices, budget, states } = allocation;
    const costText = costTextOf(allocation);
    const layers = [...choices.keys()];
    const items = [...choices.values()];
    const found = solveKnapsack(items, budget, states);
    if (found === undefined) {
      context.report('allocate/budget', { budget: costText(budget), least: costText(leastCost(items)) });
      return network;
    }
    const bits = new Map(layers.map((id, i) => [id, items[i]![found.picks[i]!]!.bits]));
    const allocated = withWeightBits(network, (id) => bits.get(id));
    if (!found.exact) context.report('allocate/greedy', {});
    return { ...allocated, notes: [...allocated.notes, `bits of weights chosen: ${costText(found.cost)}`] };
  },
});
