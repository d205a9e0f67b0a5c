export { checkExternalLocation } from './external.js';
export { exposeTensors, partFor } from './expose.js';
export { type ImportOptions, type ImportedNetwork, type OnnxFile, importOnnx, opsetRange } from './import.js';
export { withPartitions } from './partitions.js';
export type { SourceInput } from './inputs.js';
export { standardForm } from './standard/index.js';
export { supportedOps } from './ops/index.js';
export type { ReadExternal } from './tensor-data.js';
