export { type Framing, framingKinds, framingRules } from './framing.js';
export { framed } from './recordings.js';
export { type Events, type Recordings, type Sensor, frameShape } from './events.js';
export { Hdf5File, loadHdf5 } from './hdf5.js';
export { type NamedRecordings, namedRecordings, needsHdf5, openRecordings } from './sets.js';
