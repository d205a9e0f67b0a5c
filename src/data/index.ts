export {
  type Batch,
  type Dataset,
  type Layout,
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
export { openCifar10 } from './cifar.js';
export { type ReadOptions, isFile, isFolder, readBytes, readText, realPath } from './files.js';
export { openIdx } from './idx.js';
export { openNpz } from './npz.js';
export { type OpenOptions, openDataset } from './open.js';
export { writeFile, writeNewFile } from './writing.js';
export { FolderClaim, finishWrites, writeFolder } from './folders.js';
export { type Spread, look } from './look.js';
