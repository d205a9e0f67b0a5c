import { boolean, number, optional } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';

export const squeeze = defineOp({
  doc: 'Temporal squeezing (ABA eq. 12): the mean over the first `steps` steps of a train, so that the synapse behind it acts once. Learned steps: parameter `steps` with their bound `steps_max`. `codes`: the sum of so many codes, which are whole, in place of their mean.',
  arity: [1, 1],
  attrs: { steps: optional(number()), steps_max: optional(number()), codes: optional(boolean()) },
  params: ['steps?'],
  traits: { ...realTraits, role: 'squeeze', fires: 'means', linear: true, accumulates: true },
  lowering: { role: 'time' },
  type: ({ inputs, attrs, param }) => {
    const { shape, time, code } = inputs[0]!;
    if (time === undefined || code.kind !== 'spike') return 'needs a spike train';
    const learned = param('steps') !== undefined;
    const steps = (learned ? attrs.steps_max : attrs.steps) ?? 0;
    if (!Number.isInteger(steps) || steps < 1 || steps > time.steps) return `needs from 1 to ${time.steps} steps`;
    const { min, max, step } = code;
    if (attrs.codes === true && learned) return 'needs fixed steps to add codes up';
    const unit = attrs.codes === true ? step : step / steps;
    const mean = { kind: 'spike' as const, min: min * steps, max: max * steps, step: unit };
    return { shape, time: { start: time.start, steps: 1 }, code: mean };
  },
});
