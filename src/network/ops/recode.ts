import { number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { tableProblem } from './table.js';
import { waitsTooShort } from './type-rules.js';

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
  fixedParams: ['thresholds', 'levels'],
  traits: {
    role: 'whole-input',
    weights: 'none',
    macs: 'none',
    join: false,
    fires: 'own',
    reach: 'own',
    relays: false,
    planewise: false,
    monotone: false,
    linear: false,
    accumulates: true,
    keepsRange: false,
    padding: 'none',
  },
  lowering: { role: 'time' },
  type: ({ inputs, attrs, param }) => {
    const { shape, time } = inputs[0]!;
    if (time === undefined) return 'needs an input with time steps; encode the input first';
    if (attrs.silent !== undefined && attrs.silent < time.steps) return waitsTooShort(attrs.silent, time.steps);
    const problem = tableProblem(param('thresholds'), param('levels'));
    if (problem !== undefined) return problem;
    return {
      shape,
      time: { start: time.start + (attrs.silent ?? 0), steps: attrs.steps },
      code: { kind: 'spike', min: -1, max: 1, step: attrs.amplitude },
    };
  },
});
