import { tensor } from '../../../base/dtype.js';
import { type Op, numberAttr, paramOf, realValues } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering, Precision } from '../context.js';
import type { OpLowering } from './op-lowering.js';

/** value(levels[#{t ≤ x}]) of a table's thresholds t, in a dtype. */
export function lookedUp(
  lowering: Lowering,
  op: Op,
  x: Value,
  value: (level: number) => number,
  dtype: Precision,
): Value {
  const { builder, network } = lowering;
  const thresholds = lowering.realWeight(op, 'thresholds', x.dtype === 'f64' ? 'f64' : 'f32');
  const levels = realValues(paramOf(network, op, 'levels')).map(value);
  return builder.lookup(x, thresholds, builder.constant(tensor(dtype, [levels.length], levels)));
}

/** The reals that the levels stand for: (Q − zero)·scale. */
export const table: OpLowering = {
  role: 'values',
  act: ({ lowering, dtype }, op, [x]) => {
    const [zero, scale] = [numberAttr(op.attrs, 'zero'), numberAttr(op.attrs, 'scale')];
    return lookedUp(lowering, op, x!, (level) => (level - zero) * scale, dtype);
  },
};
