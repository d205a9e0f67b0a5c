export { type NirReader, conventions, nirReaders } from './conventions.js';
export { type NirExport, type NirNodeReport, exportNir } from './emit.js';
