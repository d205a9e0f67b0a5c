import { boolean, number, optional, pair, string } from './attributes.js';
import { defineOp } from './define.js';
import type { ValueType } from '../value-types.js';
import { firingTraits } from './row-traits.js';
import { sameShape, shapeText } from './type-rules.js';

export const neuron = defineOp({
  doc: 'A layer of neurons; `neuron` names its equations. Fires `silent` steps after its input begins. Further inputs are further currents of its equations, of the first one’s shape. With `hold` its input has one step, and its current stays for so many. With integer_codes its train counts steps of its output, not their amplitude. Without `levels` its output is real, a current. Learned bits: parameter `bits` with their bound `bits_max`.',
  arity: [1, 8],
  attrs: {
    neuron: string(),
    levels: optional(pair()),
    amplitude: optional(number()),
    silent: optional(number()),
    hold: optional(number()),
    integer_codes: optional(boolean()),
  },
  otherAttrs: number(),
  params: ['*'],
  traits: { ...firingTraits, role: 'neurons' },
  lowering: { role: 'time' },
  type: ({ inputs, attrs, levels }) => {
    const [{ time, shape }] = inputs as [ValueType];
    const odd = inputs.find((other) => !sameShape(other.shape, shape));
    if (odd !== undefined) return `its currents differ in shape: ${shapeText(shape)} and ${shapeText(odd.shape)}`;
    if (time === undefined) return 'needs an input with time steps; encode the input first';
    // of its equations; the attribute says the same, for those that read the text
    const { min, max } = levels ?? { min: attrs.levels?.[0], max: attrs.levels?.[1] };
    const step = attrs.integer_codes === true ? 1 : attrs.amplitude;
    if (min !== undefined && step === undefined) return 'has levels, but no amplitude';
    if ('hold' in attrs && time.steps !== 1) return `holds a current of one step, its input has ${time.steps}`;
    return {
      shape,
      time: { start: time.start + (attrs.silent ?? 0), steps: attrs.hold ?? time.steps },
      // an output without finite levels is a current: nothing is sent as spikes
      code:
        min === undefined || max === undefined || step === undefined
          ? { kind: 'psp' }
          : { kind: 'spike', min, max, step },
    };
  },
});
