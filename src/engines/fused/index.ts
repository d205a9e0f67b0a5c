export { type FusedOptions, fusedEngine } from './engine.js';
