import { boolean, number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { firingTraits } from './row-traits.js';

export const planes = defineOp({
  doc: 'Codes S = Σ 2^b·S_b as binary planes: plane b of step t at virtual step (t−1)·bits + b + 1. Planes of signed codes are ternary: the bits of their size, with their sign. `unary`: codes S = Σ S_b, plane b is [S > b], and `bits` is the greatest code.',
  arity: [1, 1],
  attrs: { bits: number(), unary: optional(boolean()) },
  params: [],
  traits: { ...firingTraits, role: 'planes', reach: 'passed' },
  lowering: { role: 'time' },
  type: ({ inputs, attrs }) => {
    const { shape, time, code } = inputs[0]!;
    const bits = attrs.bits;
    if (time === undefined || code.kind !== 'spike') return 'needs a spike train';
    const size = Math.max(code.max, -code.min);
    const most = attrs.unary === true ? bits : 2 ** bits - 1;
    if (code.step !== 1 || size > most) return `needs codes of a size up to ${most}`;
    return {
      shape,
      time: { start: time.start, steps: time.steps * bits },
      code: { kind: 'spike', min: code.min < 0 ? -1 : 0, max: 1, step: 1 },
    };
  },
});
