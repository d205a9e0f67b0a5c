import { withoutDeadOps } from '../../network/index.js';
import type { Pass } from '../pass.js';

/** Drops what no output needs. */
export const deadCode: Pass = {
  name: 'dead-code',
  doc: 'Removes ops, parameters and neuron types that no output needs.',
  run: (network) => withoutDeadOps(network),
};
