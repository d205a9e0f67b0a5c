export { checkExternalLocation } from './external.js';
export { exposeTensors, partFor } from './expose.js';
export {
  type ImportOptions,
  type ImportedNetwork,
  type OnnxFile,
  type SourceInput,
  importOnnx,
  opsetRange,
} from './import.js';
export { supportedOps } from './ops/index.js';
export type { ReadExternal } from './tensor-data.js';
