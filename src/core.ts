/**
 * The compiler without a machine under it: text and IR in, text and IR out. Nothing here reads files, runs engines or needs
 * Node, so that a browser can import it (`spikec/core`).
 */
export {
  type Code as DiagnosticCode,
  type Diagnostic,
  DiagnosticError,
  type Outcome,
  type Related,
  type Severity,
  hasErrors,
} from './base/diagnostics/index.js';
export { type DType, type Tensor, tensor } from './base/dtype.js';
export type { NeuronDef } from './equations/index.js';
export { InvariantError } from './base/invariant.js';
export { type SafetensorsContent, decodeSafetensors, encodeSafetensors } from './base/safetensors.js';
export { type FilePlace, type Place, type Source, type Span, describePlace, lineAndColumn } from './base/source.js';

export { type ModelFile, formatText, parseText } from './syntax/index.js';
export { type Config, type Model, type ModelLoader, checkModel, memoryLoader } from './model/index.js';

export { type ImportOptions, type ImportedNetwork, type OnnxFile, importOnnx } from './frontends/onnx/index.js';
export {
  type Network,
  NetworkBuilder,
  type Op,
  type Param,
  type ValueType,
  decodeWeights,
  encodeWeights,
  parseNetwork,
  printNetwork,
  verifyNetwork,
} from './network/index.js';
export {
  type ConfiguredPass,
  type Pass,
  type PassContext,
  type PipelineResult,
  byLayer,
  byPattern,
  configure,
  everyLayer,
  passes,
  pipelines,
  runPipeline,
  withOptions,
} from './passes/index.js';
export { type Runnable, lower, lowerForTraining } from './lower/program/index.js';
export { lowerModel } from './lower/model-to-network/index.js';

export {
  type Program,
  ProgramBuilder,
  type TensorOp,
  evaluate,
  printProgram,
  simplify,
  verify,
} from './tensor/index.js';
export { emitOnnx } from './backends/onnx/index.js';
export { emitTfjsModule, emitTfjsProgram } from './backends/tfjs/index.js';

export { type Cost, type LayerCost, costOf } from './cost/index.js';
export { type NetworkDiff, alignNetworks, diffNetworks, presentDiff } from './diff/index.js';

export { type Plot, type ReportContext, type ReportTarget, renderPlot, renderReport } from './report/index.js';
export { diffPage } from './report/diff/page.js';
