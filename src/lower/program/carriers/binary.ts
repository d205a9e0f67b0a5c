import { means } from './means.js';

/**
 * `binary` (IBRA's virtual time): trains as with `direct`. What is sent are the bits of their integer codes, b = 0 … B − 1 in B virtual
 * steps a step; inference has them as binary planes.
 */
export const binary = means({
  coding: 'binary',
  doc: 'means over the steps; the bits of each integer spike are sent one a virtual step',
  encode: (_, __, x) => x,
  sentLevels: ({ bits }) => 2 ** bits!,
});
