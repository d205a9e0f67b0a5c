import { encodedDigits, maxOfDigits } from './digits.js';
import { means } from './means.js';
import { meanWorth } from './worth.js';

/** What a spike counts at each step: T·2^−k at step k, so that the mean is the binary fraction Σ 2^−k·s_k. */
export function patternWeights(bits: number): readonly number[] {
  return Array.from({ length: bits }, (_, k) => bits * 2 ** -(k + 1));
}

/** `pattern` (Rueckauer and Liu 2021): a train is a binary number, most significant digit first, which layers read whole. */
export const pattern = means({
  coding: 'pattern',
  doc: 'means; a train is the binary digits of its value, and a layer reads whole trains',
  whole: true,
  untrainable: 'its layers fire once their whole input is in, a decision without a surrogate in time',
  encode: (lowering, op, x) => (op.type.code.kind === 'spike' ? encodedDigits(lowering, op, x, lowering.steps) : x),
  worth: (lowering, op, spikes) => meanWorth(lowering, op, spikes, patternWeights(lowering.steps)),
  maximum: (lowering, op, { train }) => ({ train: () => maxOfDigits(lowering, op, train(), lowering.steps) }),
  conversion: {
    neuron: ({ steps }) => ({ name: 'Pattern', args: { bits: steps! } }),
    top: ({ steps }) => 1 - 2 ** -steps!,
    silent: ({ steps }) => steps!,
  },
});
