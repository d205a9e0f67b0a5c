export { type NirReader, conventions, nirReaders } from './conventions.js';
export { type NirExport, exportNir } from './emit.js';
