export { ProgramBuilder, type Operand, type ScanSpec, type Scanned, type Value } from './builder.js';
export { ShapeError, concreteShape, isBatch, showDim, showShape, showType } from './dims.js';
export { type EvaluateOptions, batchSize, checkedFeed, evaluate } from './evaluate.js';
export { type ByteCode, byteCodes } from './byte-codes.js';
export { lastUses } from './last-use.js';
export { folded, stepsOf } from './over-time.js';
export { type ProgramPart, programParts } from './parts.js';
export { peakBytes } from './peak.js';
export { recomputing } from './recompute.js';
export { opDef, ops, primKinds } from './ops/index.js';
export { parseProgram } from './parse.js';
export { printOp, printProgram } from './print.js';
export { verified, verify } from './verify.js';
export * from './types.js';
export { type Differentiated, autodiff, gradients } from './autodiff.js';
export { type SimplifyOptions, simplify, withoutDeadCode } from './simplify/index.js';
export {
  type SurrogateRow,
  surrogateArguments,
  surrogateGradient,
  surrogateProblem,
  surrogateArgumentDocs,
  surrogateTable,
  surrogates,
} from './ops/surrogate.js';
export { type DetectionLoss, numbersOfObject } from './detection-loss.js';
export {
  boxOutputs,
  detectionClasses,
  detectionGrid,
  detectionPlaces,
  detectionStrides,
  withBoxes,
} from './detection-boxes.js';
export { logSoftmax } from './log-softmax.js';
export {
  type LossSpec,
  absoluteError,
  correctCount,
  distillationLoss,
  lossOf,
  meanOverTime,
  needsClasses,
  targets,
} from './losses.js';
export { type OptimizerSpec, optimizerSlots, updateWeight } from './optimizers.js';
export {
  type GradientClip,
  type TrainingState,
  type TrainingStep,
  type TrainingStepOptions,
  paramsAsInputs,
  trainingStep,
} from './training-step.js';
export { type RepeatedPixels, repeatedPixels } from './patterns.js';
export { tensorReference } from './reference.js';
