import type { OpTraits } from './traits.js';

type WithoutRole = Omit<OpTraits, 'role'>;

/** Rows of layers that make real values of what they read, by no sum: what they answer besides their role. */
export const realTraits = {
  weights: 'none',
  macs: 'none',
  join: false,
  fires: 'none',
  reach: 'none',
  relays: false,
  planewise: false,
  monotone: false,
  linear: false,
  accumulates: false,
  keepsRange: false,
  padding: 'none',
} as const satisfies WithoutRole;

/** Rows of layers that fire spikes of their own: what they answer besides their role. */
export const firingTraits = {
  ...realTraits,
  fires: 'own',
  reach: 'own',
  accumulates: true,
} as const satisfies WithoutRole;

/** Rows of layers that sum what they read, each input weighed: what they answer besides their role and their products. */
export const synapseTraits = {
  ...realTraits,
  weights: 'matrix',
  reach: 'own',
  linear: true,
  accumulates: true,
} as const satisfies WithoutRole;

/** Rows of layers that hand on the trains they read, each value as it is: what they answer besides their role. */
export const relayTraits = {
  ...realTraits,
  reach: 'passed',
  relays: true,
  linear: true,
  accumulates: true,
} as const satisfies WithoutRole;

/** Rows of layers that put the values they read in other places. */
export const rearrangingTraits = {
  ...relayTraits,
  role: 'reshape',
  planewise: true,
  monotone: true,
  keepsRange: true,
} as const satisfies OpTraits;

/** Rows of layers that average what they read. */
export const averageTraits = {
  ...relayTraits,
  role: 'average',
  reach: 'passed-or-own',
  planewise: true,
  keepsRange: true,
} as const satisfies OpTraits;
