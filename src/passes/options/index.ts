export { type ConfiguredPass, type GivenFor, configure, withOptions } from './configure.js';
export { type OptionInfo, optionsOf } from './describe.js';
export { type NeuronChoice, codingChoice, flag, neuronChoice, oneOf, perLayer, real, reals, whole } from './kinds.js';
export { type LayerPattern, type LayerValue, type PerLayer, byLayer, byPattern, everyLayer } from './per-layer.js';
export {
  type GivenOptions,
  type Option,
  type OptionSchema,
  type OptionType,
  type OptionsOf,
  defaulted,
  optional,
  required,
} from './types.js';
