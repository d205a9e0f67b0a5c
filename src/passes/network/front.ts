import { type Op, roleOf } from '../../network/index.js';

/** Whether it gives each value scaled, moved or with a border: between the input and its quantiser a part of the encoder. */
export function isRearranged(op: Op): boolean {
  const role = roleOf(op);
  return role === 'scaling' || role === 'border' || role === 'reshape';
}
