import { encodedDigits, maxOfDigits } from './digits.js';
import { means } from './means.js';
import { codingNumber, timesWeights } from './worth.js';

/** What a spike counts at each step: K·2^−k at phase k = 1 … K, so that the mean over a period is Σ 2^−k·s_k. */
export function phaseWeights(steps: number, period: number): readonly number[] {
  return Array.from({ length: steps }, (_, t) => period * 2 ** -(1 + (t % period)));
}

/** `phase` (Kim et al. 2018): a spike counts 2^−k at phase k of a period of K steps. */
export const phase = means({
  coding: 'phase',
  doc: 'means over periods; a spike counts 2^−k at phase k of its period',
  encode: (lowering, op, x) =>
    op.type.code.kind === 'spike' ? encodedDigits(lowering, op, x, codingNumber(lowering, 'period')) : x,
  worth: (lowering, op, spikes) =>
    timesWeights(lowering, op, spikes, phaseWeights(lowering.steps, codingNumber(lowering, 'period'))),
  maximum: (lowering, op, { train }) => ({
    train: () => maxOfDigits(lowering, op, train(), codingNumber(lowering, 'period')),
  }),
  conversion: {
    neuron: ({ period }) => ({ name: 'Phase', args: { period: period! } }),
    top: ({ period }) => 1 - 2 ** -period!,
    problem: ({ steps, period }) => {
      if (steps! % period! === 0) return undefined;
      const nearest = Math.max(1, Math.round(steps! / period!)) * period!;
      return {
        reason: `${steps} steps are no whole number of periods of ${period} steps, so a train ends within one`,
        help: `write steps: ${nearest}, or another period`,
      };
    },
  },
});
