/**
 * How a train of values [TN, …] is read out at the end of a network, beside their mean; each has a row in the lowering.
 * `first_spike`: T less the steps before the first spike, 0 where there is none; `membrane`: of the neurons in front of it,
 * when they are compared for the last time.
 */
export const readOuts = ['mean', 'sum', 'last', 'max', 'first_spike', 'membrane'] as const;

export type ReadOutKind = (typeof readOuts)[number];

/** Those that read a layer of neurons, and nothing between. */
export const readsNeurons: readonly ReadOutKind[] = ['first_spike', 'membrane'];
