export { bitsOf, type LayerBits } from './bits.js';
export { renderReport } from './page/page.js';
export * from './plots/index.js';
export type { LayerTrace, SampleTrace } from '../run/sample-trace.js';
export type { Measured, ReportContext, ReportTarget } from './types.js';
