import { leastCost, solveKnapsack } from '../allocation/knapsack.js';
import type { Pass } from '../pass.js';
import { withWeightBits } from './quantise-weights.js';

/**
 * Chooses bits for the weights of each layer so that the measured errors add up to the least within a budget, and
 * quantises the weights to them. The errors are those of the network's output when one layer alone has these bits;
 * that they add up is an assumption, good as long as each is small.
 */
export const allocateBits: Pass = {
  name: 'allocate-bits',
  doc: 'Chooses the bits of weights layer by layer for a budget, from the measured error of each choice (an exact knapsack; greedy where it grows too large), and quantises to them.',
  run: (network, context) => {
    const { allocation } = context.options;
    if (allocation === undefined) return network;
    const { choices, budget, costText, states } = allocation;
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
};
