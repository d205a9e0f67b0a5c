import { number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { tableProblem } from './table.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

export const recode = defineOp({
  doc: 'Neurons that wait for their whole input v (`silent` is at least its steps; missing before time is scheduled), look up Q = levels[#{t ≤ v}] of the ascending `thresholds` t, and fire the digits of Q − min. v = Σ β^(Tc−k)·x(k) of a current, gain·Σ β^(Tc−k)·s(k) + offset of a train. Any quantised function of one value, exactly (docs/sws.md).',
  arity: [1, 1],
  attrs: {
    beta: number(),
    steps: number(),
    silent: optional(number()),
    gain: optional(number()),
    offset: optional(number()),
    min: number(),
    max: number(),
    amplitude: number(),
  },
  params: ['thresholds', 'levels'],
  fixedParams: () => ['thresholds', 'levels'],
  traits: wholeInputTraits,
  lowering: { role: 'time' },
  type: ({ inputs, attrs, param }) => {
    const fired = firedAfterAll(inputs, attrs);
    if (typeof fired === 'string') return fired;
    const problem = tableProblem(param('thresholds'), param('levels'));
    if (problem !== undefined) return problem;
    return fired;
  },
});
