export type * from './ast.js';
export { maxBracketDepth, maxSourceLength, parsePart, parseText, parseWhatHolds } from './parse.js';
export { SectionMemory } from './section-memory.js';
export { formatText, print } from './print.js';
