export { SpikeParser } from './parser.js';
export * as tokens from './tokens.js';
