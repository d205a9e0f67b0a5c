export type * from './ast.js';
export { maxBracketDepth, maxSourceLength, parseText } from './parse.js';
