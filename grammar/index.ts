export { grammarToEbnf } from './ebnf.js';
export { SpikeParser } from './parser.js';
export { grammarToRailroad } from './railroad.js';
export { grammarToTextMate } from './textmate.js';
export * as tokens from './tokens.js';
