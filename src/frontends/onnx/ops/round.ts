import { type Rounding, roundBy } from '../../../base/rounding.js';
import { arrayOf, lazyConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { roundedValue } from '../rounded.js';
import { type Value, isDynamicBias } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Rounding to integers: half of a quantiser that is written out (QCFS, integer requantisation, PyTorch's fake quantise). */
export const roundOps: OnnxOpTable = {
  Round: { inputs: [1, 1], run: (c) => [rounded(c, 'half_even')] },
  Floor: { inputs: [1, 1], run: (c) => [rounded(c, 'floor')] },
  Ceil: { inputs: [1, 1], run: (c) => [rounded(c, 'ceil')] },
};

function rounded(context: NodeContext, rounding: Rounding): Value {
  const input = context.input(0);
  if (isDynamicBias(input)) return input;
  // of integers nothing is left to round
  if (input.kind === 'rounded' && input.integer) return input;
  if (input.kind !== 'constant') return roundedValue(context, context.realInAnyLayout(0), rounding);
  const { name, type, shape, data } = input;
  return lazyConstant(name, type, shape, () =>
    arrayOf(
      type,
      Float64Array.from(data(), (x) => roundBy(rounding, x)),
    ),
  );
}
