export {
  type Batch,
  type Dataset,
  type Normalisation,
  type RawBatch,
  checkFit,
  parseNormalisation,
  pixelMap,
  readBatch,
} from './dataset.js';
export { openCifar10 } from './cifar.js';
export { type ReadOptions, isFile,
  isFolder, readBytes, realPath, readText, writeFile, writeFolder, writeNewFile } from './files.js';
export { openIdx } from './idx.js';
export { openNpz } from './npz.js';
export { type OpenOptions, openDataset } from './open.js';
