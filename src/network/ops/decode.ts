import { readOuts } from '../../base/read-outs.js';
import { number, optional, string, word } from './attributes.js';
import { defineOp } from './define.js';
import type { ValueType } from '../value-types.js';
import { realTraits } from './row-traits.js';

export const decode = defineOp({
  doc: 'Read-out: sws: Σ β^(Tc−k)·z(k); otherwise over the steps the mean, or with `readout` their sum, the last, max, the greatest, first_spike, T less the steps before the first spike (0 without one), or membrane, what its neurons compare at the last step.',
  arity: [1, 1],
  attrs: { coding: string(), beta: optional(number()), readout: optional(word(readOuts)) },
  params: [],
  traits: {
    ...realTraits,
    role: 'read-out',
    linear: true,
    accumulates: true,
  },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    if (attrs.coding === 'sws' && attrs.beta === undefined) return 'misses its attribute beta, which coding sws has';
    const [{ time, code }] = inputs as [ValueType];
    if (time === undefined) return 'needs an input with time steps';
    if (
      attrs.readout === 'first_spike' &&
      !(code.kind === 'spike' && code.min === 0 && code.max === 1 && code.step === 1)
    )
      return 'reads the first spike, and its input has no spikes of 0 and 1';
    return { shape: inputs[0]!.shape, code: { kind: 'real' } };
  },
});
