import { number } from './attributes.js';
import { defineOp } from './define.js';

export const gather = defineOp({
  doc: 'Sums what a synapse delivers at the virtual steps of each step: `bits` planes into one, binary or unary.',
  arity: [1, 1],
  attrs: { bits: number() },
  params: [],
  traits: {
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'none',
    relays: false,
    planewise: false,
    maximum: false,
    monotone: false,
    linear: true,
    accumulates: true,
    reshapes: false,
    activation: false,
    keepsRange: false,
  },
  type: ({ inputs, attrs }) => {
    const { shape, time } = inputs[0]!;
    const bits = attrs.bits;
    if (time === undefined || time.steps % bits !== 0) return `needs a multiple of ${bits} time steps`;
    return { shape, time: { start: time.start, steps: time.steps / bits }, code: { kind: 'psp' } };
  },
});
