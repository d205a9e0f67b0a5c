import { quantisedSign } from '../../activation-quantiser.js';
import { type Constant, smallConstant } from '../../constant.js';
import { quantisedConstant } from '../../constant-quantiser.js';
import type { NodeContext } from '../../context.js';
import type { Value } from '../../values.js';
import { withSteps } from './steps.js';
import { scaleInput } from './params.js';

/** BipolarQuant: scale where x ≥ 0, else −scale. */
export function bipolarQuant(context: NodeContext): readonly Value[] {
  const scale = scaleInput(context, 1);
  const input = context.input(0);
  if (input.kind === 'constant') {
    const [zero, bits] = [0, 1].map((value) => smallConstant(context.output, 'float', [], [value])) as [
      Constant,
      Constant,
    ];
    const quantiser = { scale, zero, bits, rangeOf: () => undefined, rounding: 'half_even' } as const;
    return [quantisedConstant(context, input, quantiser)];
  }
  const x = context.realInAnyLayout(0);
  return [withSteps(context, x, scale, (x, step, origin) => quantisedSign(context, x, step, 0, origin))];
}
