import { number } from './attributes.js';
import { defineOp } from './define.js';
import { relayTraits } from './row-traits.js';

export const lag = defineOp({
  doc: 'The same train `steps` time steps before, in the same window: y(t) = x(t − steps), 0 for t ≤ steps. It may read an op that stands later, and then closes a cycle: a recurrent connection.',
  arity: [1, 1],
  attrs: { steps: number() },
  readsAhead: true,
  params: [],
  traits: { ...relayTraits, role: 'lag', keepsRange: true },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    if (inputs[0]!.time === undefined) return 'needs an input with time steps; encode the input first';
    if (!Number.isInteger(attrs.steps) || attrs.steps < 1)
      return `lags by whole steps, at least 1, not by ${attrs.steps}`;
    return inputs[0]!;
  },
});
