export { type Alignment, alignNetworks } from './align.js';
export { diffNetworks } from './compare.js';
export type { DiffDocument, Item, Line, Mark, Row, Section, Table } from './document.js';
export { type DiffJson, diffJson } from './json.js';
export {
  type CostSides,
  type DiffView,
  type LayerCostSides,
  presentDiff,
  presentPrograms,
  summaryOf,
} from './present.js';
export type { ProgramHunk } from './program-text.js';
export { type DiffResult, type DiffSide, diffSides } from './sides.js';
export { ratio } from './show.js';
export type { FieldChange, FieldValue, NetworkChange, NetworkDiff, Renamed, WeightChange } from './types.js';
