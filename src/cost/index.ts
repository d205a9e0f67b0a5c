export { type Cost, type LayerCost, costOf } from './cost.js';
export { fanOuts } from './fan-out.js';
export { type SpikeEntropy, normalDistribution, spikeEntropy } from './entropy.js';
