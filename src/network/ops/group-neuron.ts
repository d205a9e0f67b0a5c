import { boolean, number, optional, word } from './attributes.js';
import { defineOp } from './define.js';
import { axisProblem } from './group.js';
import { softmaxForms } from './integer-group.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

/** Functions of all values along an axis. */
const groupFunctions = ['softmax', 'layernorm', 'integer_softmax', 'integer_norm'] as const;
export type GroupFunction = (typeof groupFunctions)[number];

export const groupNeuron = defineOp({
  doc: 'Neurons that wait for their whole inputs v (`silent` is at least their steps; missing before time is scheduled), apply a function of all of them along an axis (softmax; layernorm with `gamma`, `beta` and `epsilon`; integer_softmax and integer_norm with the attributes and parameters of these layers), and fire the digits of Q − min, Q = clip(round_half_even(f(v)/scale) + zero, min, max); with `base` and `place` that digit of Q alone, as `product` does. v = Σ β^(Tc−k)·x(k) of a current, gain·Σ β^(Tc−k)·s(k) + offset of a train.',
  arity: [1, 1],
  attrs: {
    beta: number(),
    steps: number(),
    silent: optional(number()),
    gain: optional(number()),
    offset: optional(number()),
    function: word(groupFunctions),
    axis: number(),
    epsilon: optional(number()),
    form: optional(word(softmaxForms)),
    count: optional(number()),
    width: optional(number()),
    centred: optional(boolean()),
    divisor: optional(number()),
    scale: number(),
    zero: number(),
    min: number(),
    max: number(),
    amplitude: number(),
    base: optional(number()),
    place: optional(number()),
  },
  params: ['gamma?', 'beta?', 'thresholds?', 'levels?'],
  fixedParams: () => ['thresholds', 'levels'],
  traits: wholeInputTraits,
  lowering: { role: 'time' },
  type: (request) => {
    const { inputs, attrs } = request;
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    const missing = (needed[attrs.function] as readonly (keyof typeof attrs)[]).find(
      (name) => attrs[name] === undefined,
    );
    if (missing !== undefined) return `misses its attribute ${missing}`;
    return axisProblem(request) ?? firedAfterAll(inputs, attrs);
  },
});

/** Attributes that a function can't do without. */
const needed = {
  softmax: [],
  layernorm: ['epsilon'],
  integer_softmax: ['form', 'count'],
  integer_norm: ['centred', 'divisor'],
} as const;
