export { bitsOf, type LayerBits } from './bits.js';
export { renderReport } from './page/page.js';
export * from './plots/index.js';
export type { LayerTrace, Measured, ReportContext, ReportTarget, SampleTrace } from './types.js';
