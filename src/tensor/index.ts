export { ProgramBuilder, type Operand, type Value } from './builder.js';
export { ShapeError, concreteShape, isBatch, showDim, showShape, showType } from './dims.js';
export { type EvaluateOptions, batchSize, checkedFeed, evaluate } from './evaluate.js';
export { lastUses } from './last-use.js';
export { opDef, ops, primKinds } from './ops/index.js';
export { printOp, printProgram } from './print.js';
export { verified, verify } from './verify.js';
export * from './types.js';
