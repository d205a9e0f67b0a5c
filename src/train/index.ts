export { type Checkpoint, type CheckpointProgress, checkpointBytes, readCheckpoint } from './checkpoint.js';
export { type Bounds, constraintsOf } from './constraints.js';
export { randomFeeds } from './feeds.js';
export { Firing } from './firing.js';
export { type Identity, identityOf } from './identity.js';
export {
  type EpochProgress,
  type LoopOptions,
  type LoopResult,
  type LoopState,
  splitSamples,
  trainLoop,
} from './loop.js';
export type { OpenTeacher, Teacher } from './teacher.js';
export { type Python, findPython } from './python.js';
export { torchLoop } from './torch-loop.js';
export { type Results, type Running, openRunnable } from './open.js';
export { shownStates } from './averages.js';
export { measuredNormalisation } from './measured-normalisation.js';
export { Measure, type Measurement } from './measure.js';
export { randomStream, shuffled } from './random.js';
export { type BitRecord, type QuantisedTensor, bitRecord, quantisedTensors } from './bits.js';
export { bestRange, stepOf } from './grid-search.js';
export { type RenewalEvent, type RenewalState, StepSizes, renewalProblem } from './renewal.js';
export { type EpochRecord, bestOf, isBetter, recordProblem } from './record.js';
export { Settling, type SettlingEvent, type SettlingState, settlingProblem } from './settling.js';
export { type LoadOptions, Samples, usualMemory } from './samples.js';
export { learningRate } from './schedule.js';
export type { Augmentation, BitTraining, ScheduleSpec, TrainSettings } from './settings.js';
export { firstNonFinite } from './trace.js';
export { type StepSettings, type Trainee, traineeOf, undecayedParams, withoutGradient } from './trainee.js';
