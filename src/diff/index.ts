export { type Alignment, alignNetworks } from './align.js';
export { diffNetworks } from './compare.js';
export type { FieldChange, FieldValue, NetworkChange, NetworkDiff, Renamed, WeightChange } from './types.js';
