/**
 * spikec as a library. Phases are functions from text or IR to a value and diagnostics; the driver's
 * functions do what the commands do.
 */
export * from './core.js';

export { type EpochRecord, type TrainSettings, type Trainee, traineeOf, trainLoop } from './train/index.js';
export { type Engine, type OpenOptions, type Opened, engineNamed, engineNames } from './engines/index.js';
export { type Batch, type Dataset, type Normalisation, loadReaders, openDataset, readBatch } from './data/index.js';
export {
  type CompileOptions,
  type CompileResult,
  type ConvertOptions,
  type ConvertResult,
  type Driver,
  type AllocateOptions,
  type AllocateResult,
  type EvalOptions,
  type EvalResult,
  type Progress,
  type Target,
  type TrainOptions,
  type TrainResult,
  driver,
} from './commands/index.js';
