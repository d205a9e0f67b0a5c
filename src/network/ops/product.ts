import { elementCount } from '../../base/dtype.js';
import { number, optional, pair } from './attributes.js';
import { defineOp } from './define.js';
import { sameShape, shapeText, waitsTooShort } from './type-rules.js';

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
  traits: {
    role: 'whole-input',
    weights: 'none',
    macs: ({ output }) => elementCount(output),
    join: true,
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
  type: ({ inputs: [a, b], attrs }) => {
    if (a!.time === undefined || b!.time === undefined) return 'needs inputs with time steps; encode the input first';
    const longest = Math.max(a!.time.steps, b!.time.steps);
    if (attrs.silent !== undefined && attrs.silent < longest) return waitsTooShort(attrs.silent, longest);
    if (!(attrs.scale > 0)) return `scale must be positive, is ${attrs.scale}`;
    const channels = b!.shape[0] === a!.shape[0] && b!.shape.slice(1).every((n) => n === 1);
    if (!channels && !sameShape(a!.shape, b!.shape)) {
      return `operands differ in shape: ${shapeText(a!.shape)} and ${shapeText(b!.shape)}`;
    }
    return {
      shape: a!.shape,
      time: { start: a!.time.start + (attrs.silent ?? 0), steps: attrs.steps },
      code: { kind: 'spike', min: -1, max: 1, step: attrs.amplitude },
    };
  },
});
