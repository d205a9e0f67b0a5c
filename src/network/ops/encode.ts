import { roundings } from '../../base/rounding.js';
import { number, optional, string, word } from './attributes.js';
import { defineOp } from './define.js';
import { firingTraits } from './row-traits.js';

/** What the digits of a code follow from. */
const digits = ['beta', 'scale', 'zero', 'min', 'max', 'amplitude'] as const;

export const encode = defineOp({
  doc: 'Turns the real input into a train (docs/language.md, codings): `coding` says how; sws: the digits of its quantised code.',
  arity: [1, 1],
  attrs: {
    coding: string(),
    steps: number(),
    beta: optional(number()),
    encoder: optional(string()),
    scale: optional(number()),
    zero: optional(number()),
    min: optional(number()),
    max: optional(number()),
    offset: optional(number()),
    amplitude: optional(number()),
    threshold: optional(number()),
    rounding: optional(word(roundings)),
    seed: optional(number()),
  },
  params: [],
  traits: { ...firingTraits, role: 'encoder', reach: 'none' },
  steady: ({ coding, scale }) => coding !== 'rate' && coding !== 'events' && scale === undefined,
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const time = { start: 1, steps: attrs.steps };
    const coding = attrs.coding;
    const shape = inputs[0]!.shape;
    if (coding === 'sws') {
      const missing = digits.find((name) => attrs[name] === undefined);
      if (missing !== undefined) return `misses its attribute ${missing}, which coding sws has`;
      const step = attrs.amplitude ?? 1;
      return { shape, time, code: { kind: 'spike', min: -1, max: 1, step } };
    }
    // spikes of both signs, of an input of at most `scale`
    if (attrs.scale !== undefined) return { shape, time, code: { kind: 'spike', min: -1, max: 1, step: 1 } };
    if (coding === 'rate') return { shape, time, code: { kind: 'spike', min: 0, max: 1, step: 1 } };
    // events: [T·C,H,W] frames arrive as they are; direct: the real input at every step
    return { shape, time, code: { kind: 'real' } };
  },
});
