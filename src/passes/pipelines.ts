import { addQuantisers } from './network/add-quantisers.js';
import { allocateBits } from './network/allocate-bits.js';
import { canonicalise } from './network/canonicalise.js';
import { deadCode } from './network/dead-code.js';
import { fixBits } from './network/fix-bits.js';
import { foldAffine } from './network/fold-affine.js';
import { foldBatchnorm } from './network/fold-batchnorm.js';
import { bitPlanes, fusePlanes } from './network/planes/bit-planes.js';
import { composeSynapses } from './network/planes/compose-synapses.js';
import { distributeSynapses } from './network/planes/distribute-synapses.js';
import { verifyPlanes } from './network/planes/verify-planes.js';
import { reparameterise } from './network/planes/reparameterise.js';
import { activationRanges } from './network/means/activation-ranges.js';
import { insertNeurons } from './network/means/insert-neurons.js';
import { scaleWeights } from './network/means/scale-weights.js';
import { quantiseWeights } from './network/quantise-weights.js';
import { quantiserRegions } from './network/quantiser-regions.js';
import { scheduleTime } from './network/schedule-time.js';
import { digits } from './network/sws/digits.js';
import { tables } from './network/sws/tables.js';
import { toSpikes } from './network/sws/to-spikes.js';
import { verifyAccumulateOnly } from './network/verify-accumulate-only.js';
import type { Pass } from './pass.js';

/** Every pass there is. */
export const passes: readonly Pass[] = [
  canonicalise,
  fixBits,
  foldBatchnorm,
  foldAffine,
  quantiseWeights,
  allocateBits,
  addQuantisers,
  quantiserRegions,
  tables,
  digits,
  toSpikes,
  scheduleTime,
  activationRanges,
  insertNeurons,
  scaleWeights,
  composeSynapses,
  reparameterise,
  distributeSynapses,
  bitPlanes,
  fusePlanes,
  verifyPlanes,
  verifyAccumulateOnly,
  deadCode,
];

/** Passes in order, by purpose. */
export const pipelines = {
  /** An imported network made ready to run as an ANN or to be converted. */
  ann: [canonicalise, fixBits, foldBatchnorm, quantiseWeights, deadCode],
  /** The same with bits of weights chosen for a budget. */
  allocate: [canonicalise, fixBits, foldBatchnorm, allocateBits, deadCode],
  'convert.sws': [
    canonicalise,
    foldBatchnorm,
    foldAffine,
    quantiseWeights,
    addQuantisers,
    quantiserRegions,
    tables,
    digits,
    toSpikes,
    scheduleTime,
    verifyAccumulateOnly,
    deadCode,
  ],
  /** A real or quantised network to neurons whose trains carry means. */
  'convert.means': [
    canonicalise,
    foldBatchnorm,
    foldAffine,
    quantiseWeights,
    quantiserRegions,
    activationRanges,
    insertNeurons,
    scaleWeights,
    composeSynapses,
    distributeSynapses,
    verifyAccumulateOnly,
    deadCode,
  ],
  /** The same to trains in which a spike's time or its past says what it counts. */
  'convert.timed': [
    canonicalise,
    foldBatchnorm,
    foldAffine,
    quantiseWeights,
    quantiserRegions,
    activationRanges,
    insertNeurons,
    scaleWeights,
    composeSynapses,
    scheduleTime,
    verifyAccumulateOnly,
    deadCode,
  ],
  /** A network ready for inference, its multi-bit spikes as binary planes. */
  planes: [
    composeSynapses,
    reparameterise,
    distributeSynapses,
    bitPlanes,
    verifyPlanes,
    verifyAccumulateOnly,
    deadCode,
  ],
  /** The same network for fast evaluation. */
  fuse: [fusePlanes, deadCode],
} as const satisfies Record<string, readonly Pass[]>;

export type PipelineName = keyof typeof pipelines;
