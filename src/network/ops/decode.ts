import { readOuts } from '../../base/read-outs.js';
import { number, optional, string, word } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';

export const decode = defineOp({
  doc: 'Read-out: sws: Σ β^(Tc−k)·z(k); otherwise over the steps the mean, or with `readout` their sum, the last, or max, the greatest.',
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
    if (inputs[0]!.time === undefined) return 'needs an input with time steps';
    return { shape: inputs[0]!.shape, code: { kind: 'real' } };
  },
});
