export { type ByteProducts, type CProgram, type PlacedBuffer, countOf, emitC } from './emit.js';
export type { CTarget } from './tiles.js';
