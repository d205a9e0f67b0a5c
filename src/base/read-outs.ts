/** How a train of values [TN, …] is read out at the end of a network, beside their mean; each has a row in the lowering. */
export const readOuts = ['mean', 'sum', 'last', 'max'] as const;

export type ReadOutKind = (typeof readOuts)[number];
