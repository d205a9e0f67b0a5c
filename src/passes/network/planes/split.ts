import type { Network } from '../../../network/index.js';

/** Whether a network's trains are binary planes already: the passes of `planes` have nothing left to do. */
export function isSplit({ ops }: Network): boolean {
  return ops.some(({ kind }) => kind === 'planes');
}
