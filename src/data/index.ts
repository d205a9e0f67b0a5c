export {
  type Batch,
  type Dataset,
  type Labels,
  type Layout,
  type NamedInput,
  type Normalisation,
  type RawBatch,
  channelProblems,
  channelsOf,
  layouts,
  parseNormalisation,
  pixelMap,
  readBatch,
} from './dataset.js';
export { type Need, fitDataset } from './fit.js';
export { labelledFor, labelsOfOutput, withoutLabels } from './outputs.js';
export { openCifar10 } from './cifar.js';
export { type ReadOptions, isFile, isFolder, readBytes, readText, realPath } from './files.js';
export { type Framing, type Recordings, framingKinds, framingRules, loadHdf5, needsHdf5 } from './events/index.js';
export { openIdx } from './idx.js';
export { openNpz } from './npz.js';
export { type OpenOptions, loadReaders, openDataset, sampleForm } from './open.js';
export { SampleStore } from './sample-store.js';
export { hashOf, hashOfFile, piecesOfFile } from './hashes.js';
export { failThere, writeFile, writeNewFile } from './writing.js';
export { FolderClaim, finishWrites, writeFolder } from './folders.js';
export { type ClassCount, type Spread, look } from './look.js';
export { type EventFigures, lookAtRecordings } from './look-at-recordings.js';
