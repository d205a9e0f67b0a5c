export { type CFiles, type CMemory, emitC } from './emit.js';
