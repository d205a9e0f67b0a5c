export { attributesText, extensionVersion, withMetadata, writeExtension } from './extensions.js';
export type { NirArray, NirGraph, NirNode } from './graph.js';
export { type ImportedNir, importNir } from './import.js';
export type { Sums } from './sums.js';
export { type NirTime, parseTime } from './time.js';
