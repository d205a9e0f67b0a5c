import { elementCount } from '../../base/dtype.js';
import { number, optional, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sameShape, shapeText } from './type-rules.js';
import { firedAfterAll, wholeInputTraits } from './whole-input.js';

export const product = defineOp({
  doc: 'Neurons that wait for two whole inputs (`silent` is at least their steps; missing before time is scheduled), multiply them, and fire the digits of Q − min, Q = clip(round_half_even(v₁·v₂/scale) + zero, min, max). v = Σ β^(Tc−k)·x(k) of a current, gain·Σ β^(Tc−k)·s(k) + offset of a train, one gain and offset an input. One multiplication a neuron and image; the second input may be [C,1,1]. With `base` and `place` it fires that digit of Q alone: ⌊Q/base^place⌋ mod base.',
  arity: [2, 2],
  attrs: {
    beta: number(),
    steps: number(),
    silent: optional(number()),
    gain: pair(),
    offset: pair(),
    scale: number(),
    zero: number(),
    min: number(),
    max: number(),
    amplitude: number(),
    base: optional(number()),
    place: optional(number()),
  },
  params: [],
  traits: { ...wholeInputTraits, macs: ({ output }) => elementCount(output), join: true },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const fired = firedAfterAll(inputs, attrs);
    if (typeof fired === 'string') return fired;
    const [a, b] = inputs;
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    const channels = b!.shape[0] === a!.shape[0] && b!.shape.slice(1).every((n) => n === 1);
    if (!channels && !sameShape(a!.shape, b!.shape)) {
      return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    }
    return fired;
  },
});
