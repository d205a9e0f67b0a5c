import { functionNames, isFunctionName } from '../functions.js';
import { number, optional, string } from './attributes.js';
import { defineOp } from './define.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

export const digitNeuron = defineOp({
  doc: `Neurons that wait for their whole input v (\`silent\` is at least its steps; missing before time is scheduled) and fire one digit d = ⌊Q/base^place⌋ mod base of Q = clip(round_half_even(f(v)/scale) + zero, 0, max): several layers of them carry a value that has more digits than a train. v = Σ β^(Tc−k)·x(k) of a current, gain·Σ β^(Tc−k)·s(k) + offset of a train; f is the identity where \`function\` (sigmoid, ${functionNames.join(', ')}) is missing.`,
  arity: [1, 1],
  attrs: {
    beta: number(),
    steps: number(),
    silent: optional(number()),
    gain: optional(number()),
    offset: optional(number()),
    scale: number(),
    zero: number(),
    max: number(),
    base: number(),
    place: number(),
    amplitude: number(),
    function: optional(string()),
    function_alpha: optional(number()),
    function_beta: optional(number()),
  },
  params: [],
  traits: wholeInputTraits,
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const fired = firedAfterAll(inputs, attrs);
    if (typeof fired === 'string') return fired;
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    const name = attrs.function;
    if (name !== undefined && name !== 'sigmoid' && !isFunctionName(name)) return `names an unknown function ${name}`;
    return fired;
  },
});
