export { type CountedLayer, type LayerActivity, LevelCounter } from './activity.js';
export { type Counter, type Images, forEachBatch, readLabels } from './batches.js';
export { RangeCounter } from './calibration.js';
export { type Classifier, type SpikingNetwork, type SpikingRun, classify, runSpiking } from './conversion.js';
export { type ComparedLayer, DifferenceCounter, type LayerDifference } from './differences.js';
export { type Outputs, classesOf, divergence, outputsOf } from './outputs.js';
export { SpikeCounter, onesIn } from './spike-counts.js';
export { agreement, predictedClasses } from './predictions.js';
export { type CheckedOp, type ImportMismatch, firstMismatch } from './verify-import.js';
