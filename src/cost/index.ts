export { type Cost, type CostSettings, type LayerCost, type TotalCost, costOf } from './cost.js';
export {
  type AnnCost,
  type Hardware,
  type MeasuredLayer,
  type MeasuredTotal,
  type TrainCounts,
  annCost,
  defaultHardware,
  measuredCost,
} from './energy.js';
export type { FunctionCost } from './functions.js';
export { fanOuts, reaches } from './fan-out.js';
export { type SpikeSource, firingOps, spikeSources } from './sources.js';
export { type SpikeEntropy, normalDistribution, spikeEntropy } from './entropy.js';
export { type Range, takesEvents, withEventSpikes } from './event-input.js';
