export { emitOnnx, emitOnnxPieces, onnxEmitters, onnxSupports, outputNames, unsupportedByOnnx } from './emit.js';
export { elementType } from './writer.js';
