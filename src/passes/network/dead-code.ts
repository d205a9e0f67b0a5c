import { withoutDeadOps } from '../../network/index.js';
import { definePass } from '../pass.js';

/** Drops what no output needs. */
export const deadCode = definePass({
  name: 'dead-code',
  doc: 'Removes ops, parameters and neuron types that no output needs.',
  options: {},
  run: (network) => withoutDeadOps(network),
});
