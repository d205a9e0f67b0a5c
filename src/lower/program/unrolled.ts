import type { Network } from '../../network/index.js';

/** Steps from which any layer of neurons without silent ones is a loop (`loopedNeurons`). */
const mostPerLayer = 96;

/** Programs that unroll more steps of layers aren't made unasked. */
export const mostUnrolledSteps = 2 ** 14;

/** Programs that unroll more aren't run unasked: engines hold a plan, and memory, for each step of each layer. */
export const mostRunSteps = 2 ** 13;

/** How many time steps of layers of neurons a program unrolls, silent ones included. */
export function unrolledSteps({ ops }: Pick<Network, 'ops'>): number {
  let sum = 0;
  for (const op of ops) {
    if (op.kind !== 'neuron') continue;
    const steps = op.type.time?.steps ?? 1;
    const silent = op.attrs.silent ?? 0;
    sum += silent > 0 ? steps + silent : Math.min(steps, mostPerLayer);
  }
  return sum;
}
