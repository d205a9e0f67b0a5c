import { number, optional, word } from './attributes.js';
import { defineOp } from './define.js';
import { axisProblem } from './group.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

export const groupNeuron = defineOp({
  doc: 'Neurons that wait for their whole inputs v (`silent` is at least their steps; missing before time is scheduled), apply a function of all of them along an axis (softmax, or layernorm with `gamma`, `beta` and `epsilon`), and fire the digits of Q − min, Q = clip(round_half_even(f(v)/scale) + zero, min, max); with `base` and `place` that digit of Q alone, as `product` does. v = Σ β^(Tc−k)·x(k) of a current, gain·Σ β^(Tc−k)·s(k) + offset of a train.',
  arity: [1, 1],
  attrs: {
    beta: number(),
    steps: number(),
    silent: optional(number()),
    gain: optional(number()),
    offset: optional(number()),
    function: word(['softmax', 'layernorm']),
    axis: number(),
    epsilon: optional(number()),
    scale: number(),
    zero: number(),
    min: number(),
    max: number(),
    amplitude: number(),
    base: optional(number()),
    place: optional(number()),
  },
  params: ['gamma?', 'beta?'],
  traits: wholeInputTraits,
  lowering: { role: 'time' },
  type: (request) => {
    const { inputs, attrs } = request;
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    if (attrs.function === 'layernorm' && attrs.epsilon === undefined) return 'misses its attribute epsilon';
    return axisProblem(request) ?? firedAfterAll(inputs, attrs);
  },
});
