export { type Choice, type Knapsack, leastCost, solveKnapsack } from './allocation/knapsack.js';
export { type SilentChoice, type SilentPeriods, silentFront } from './allocation/silence.js';
export { hasCodesOf, isWeighted, quantisedWeight, withWeightBits } from './network/quantise-weights.js';
export { quantizeValue } from './network/quantiser-regions.js';
export { trainCapacity } from './network/sws/codes.js';
export { type ChannelAttention, channelAttentions } from './network/channel-attention.js';
export { isSplit } from './network/planes/split.js';
export { multiplyingOps } from './network/verify-accumulate-only.js';
export type {
  BitAllocation,
  BitChoice,
  ConversionOptions,
  MeanOptions,
  Pass,
  PassContext,
  PassRun,
  PipelineHooks,
  PipelineResult,
} from './pass.js';
export { runPipeline } from './pass.js';
export { type PipelineName, passes, pipelines } from './pipelines.js';
export { type ActivationSite, activationSites } from './network/rate/sites.js';
