import { elementCount } from '../base/dtype.js';
import { type Network, type OpRole, fixedParamsOf, paramOf, roleOf, traitsOf } from '../network/index.js';

/** What has learned values and isn't a synapse. Batch norm is folded into a synapse, neurons have parameters of their own. */
const roles: ReadonlySet<OpRole> = new Set<OpRole>(['scaling', 'group-function', 'whole-input']);

/** How many learned values there are outside of synapses: positions, scales and shifts of normalisations, embedded rows. */
export function otherParameters(network: Network): number {
  const names = network.ops
    .filter((op) => roles.has(roleOf(op)) && traitsOf(op).macs === 'none')
    .flatMap((op) => {
      const fixed = fixedParamsOf(op);
      return Object.keys(op.params).flatMap((role) => (fixed.includes(role) ? [] : [{ op, role }]));
    });
  // what layers share counts once
  const tensors = new Map(names.map(({ op, role }) => [op.params[role]!, paramOf(network, op, role).tensor]));
  return [...tensors.values()].reduce((total, { shape }) => total + elementCount(shape), 0);
}
