import { number } from './attributes.js';
import { defineOp } from './define.js';
import { relayTraits } from './row-traits.js';

export const delay = defineOp({
  doc: 'Delay line: the same train, `steps` later. Joins of paths of unequal depth need it.',
  arity: [1, 1],
  attrs: { steps: number() },
  params: [],
  traits: { ...relayTraits, role: 'delay' },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const from = inputs[0]!;
    if (from.time === undefined) return 'needs an input with time steps';
    return { ...from, time: { start: from.time.start + attrs.steps, steps: from.time.steps } };
  },
});
