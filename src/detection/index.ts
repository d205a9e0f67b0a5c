export { type Detection, type DetectorShape, type Suppression, decodeDetections, usualSuppression } from './decode.js';
export { type TrueObject, objectsOf } from './objects.js';
export { type ClassPrecision, type DetectionScore, PrecisionCounter } from './average-precision.js';
export { type Box, overlapOf } from './box.js';
