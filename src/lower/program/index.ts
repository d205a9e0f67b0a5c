export { loweringOrder } from './loops.js';
export { type BitHolder, type BitKind, type BitPenalty, bitHolders, bitKinds, learnedBitsOf } from './bit-penalty.js';
export {
  type Carried,
  type Carrier,
  type CodingNumbers,
  type Conversion,
  type Levels,
  type MeansCoding,
  RealNetwork,
  carrierOf,
  carriers,
  conversionOf,
  alongName,
  exactCodes,
  exactCodesAlong,
  findCarrier,
  means,
  sampleShape,
} from './carriers/index.js';
export {
  type LayerCurrent,
  layerOutputs,
  lowerEncoder,
  lowerLayerCurrent,
  lowerLayerNeurons,
  neuronInputs,
  trainsRead,
} from './by-layer.js';
export { type Lowering, stepsOfNetwork } from './context.js';
export { type LowerOptions, lower } from './lower.js';
export { type NeuronBody, neuronBody } from './neuron-body.js';
export { type PerOpProgram, fedName, lowerPerOp } from './per-op.js';
export {
  type Feeds,
  type Outputs,
  type ProbeKind,
  type Probes,
  type RandomInput,
  type Runnable,
  outputNames,
} from './runnable.js';
export { mostRunSteps, mostUnrolledSteps, unrolledSteps } from './unrolled.js';
export {
  type DistillLoss,
  type FiringLoss,
  type LossTerm,
  type OtherOutput,
  type TrainingLoss,
  binsOf,
  distillations,
  givesLogitsOfNumbers,
  taskLosses,
  taughtOutput,
  weightOf,
} from './training-loss.js';
export { type TrainableRunnable, lowerForObservation, lowerForTraining } from './training.js';
