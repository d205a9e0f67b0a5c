export { type LoweredModel, loweredModel } from './lowered.js';
export { type TorchModel, layeredModel } from './model.js';
export { torchLayers } from './layers.js';
export { stateKey } from './state-names.js';
export { torchPrimitives } from './primitives.js';
export { Unsupported } from './unsupported.js';
