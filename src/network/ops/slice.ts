import { number } from './attributes.js';
import { defineOp } from './define.js';
import { shapeText } from './type-rules.js';
import { rearrangingTraits } from './row-traits.js';

export const slice = defineOp({
  doc: 'Positions start, start + step, … below end of one axis (0: the channels).',
  arity: [1, 1],
  attrs: { axis: number(), start: number(), end: number(), step: number() },
  params: [],
  traits: rearrangingTraits,
  source: ({ axis, start, step }, _, at) => at.with(axis, start + at[axis]! * step),
  lowering: {
    role: 'moves',
    act: ({ builder }, { attrs: { axis, start, end, step } }, [x]) => builder.sliceAxis(x!, axis + 1, start, end, step),
  },
  type: ({ inputs, attrs: { axis, start, end, step } }) => {
    const { shape } = inputs[0]!;
    const whole = [axis, start, end, step].every((n) => Number.isInteger(n));
    if (!whole || axis < 0 || start < 0 || step < 1 || end <= start || end > (shape[axis] ?? 0)) {
      return `positions ${start}…${end} of axis ${axis} in steps of ${step} are none of ${shapeText(shape)}`;
    }
    return { ...inputs[0]!, shape: shape.with(axis, Math.ceil((end - start) / step)) };
  },
});
