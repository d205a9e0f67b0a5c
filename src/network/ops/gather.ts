import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';

export const gather = defineOp({
  doc: 'Sums what a synapse delivers at the virtual steps of each step: `bits` planes into one, binary or unary.',
  arity: [1, 1],
  attrs: { bits: number() },
  params: [],
  traits: {
    ...realTraits,
    role: 'gather',
    linear: true,
    accumulates: true,
  },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const { shape, time } = inputs[0]!;
    const bits = attrs.bits;
    if (time === undefined || time.steps % bits !== 0) return `needs a multiple of ${bits} time steps`;
    return { shape, time: { start: time.start, steps: time.steps / bits }, code: { kind: 'psp' } };
  },
});
