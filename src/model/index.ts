export { checkModel, checkWhatHolds, loadNeuron } from './check.js';
export { maxBlockDepth, maxExpansion } from './expand.js';
export { CheckMemory, unmoved } from './memory.js';
export type { LoadOptions } from './load.js';
export {
  type Edit,
  type NameDefinition,
  type NameIndex,
  type ProjectIndex,
  type SymbolKind,
  indexNames,
  indexProject,
} from './index-of-names/index.js';
export { hoverAt } from './index-of-names/hover.js';
export { type ModelLoader, memoryLoader } from './loader.js';
export { surrogates } from './neuron.js';
export { LayerPatterns, layerHelp, layerMatcher, layerMatches, meansSome } from '../base/layer-patterns.js';
export type {
  Bits,
  CodingChoice,
  Config,
  Hardware,
  Layer,
  LayerAttr,
  LayerSettings,
  Model,
  OnnxNetwork,
  NetworkOutput,
  OwnNetwork,
  Train,
  SwsCoding,
} from './types.js';
export { stepsOf } from './types.js';
export { type HardwareValues, type Normalize, type TrainValues, bitValues } from './settings.js';
export type { Choice, NeuronUse, SettingValue } from './values.js';
