export { type CProgram, type EmitOptions, type PlacedBuffer, countOf, emitC } from './emit.js';
export type { CTarget } from './tiles.js';
