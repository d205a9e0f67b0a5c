import { type Network, type Op, optionalParam } from '../network/index.js';

/** A learned number of bits or steps as it counts: B = round(clip(B̂, 1, max)) (ABA eq. 9–11). */
export function learnedNumber(x: number, most: number): number {
  return Math.round(Math.min(most, Math.max(1, x)));
}

/** What an op has learned in a role (`bits`, `steps`, `weight_bits`); nothing where that is fixed. */
export function learnedRole(network: Network, op: Op, role: string): number | undefined {
  const most = op.attrs[`${role}_max`];
  const param = optionalParam(network, op, role);
  if (typeof most !== 'number' || param === undefined) return undefined;
  return learnedNumber(param.tensor.data[0]!, most);
}
