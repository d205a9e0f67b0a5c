import type { Value } from '../../tensor/index.js';
import { number } from './attributes.js';
import { defineOp } from './define.js';
import type { LoweredOp, LoweringContext, Precision } from './lowering.js';
import { realTraits } from './row-traits.js';
import { shapeText, withTime } from './type-rules.js';

export const table = defineOp({
  doc: 'A quantised function of one value by its steps: Q = levels[#{t ≤ x}] of the ascending `thresholds` t [m] and `levels` [m + 1], standing for the real (Q − zero)·scale.',
  arity: [1, 1],
  attrs: { scale: number(), zero: number(), min: number(), max: number() },
  params: ['thresholds', 'levels'],
  fixedParams: () => ['thresholds', 'levels'],
  traits: { ...realTraits, role: 'table' },
  lowering: {
    role: 'values',
    // the reals that the levels stand for: (Q − zero)·scale
    act: ({ builder, lowering, dtype }, op, [x]) => {
      const level = lookedUp(lowering, op, x!, dtype);
      return builder.mul(op.attrs.zero === 0 ? level : builder.sub(level, op.attrs.zero), op.attrs.scale);
    },
  },
  type: ({ inputs, attrs: { scale, zero, min, max }, param }) => {
    if (!(scale > 0)) return `scale must be positive, is ${scale}`;
    const problem = tableProblem(param('thresholds'), param('levels'));
    if (problem !== undefined) return problem;
    return withTime({ shape: inputs[0]!.shape, code: { kind: 'quant', scale, zero, min, max } }, inputs[0]!.time);
  },
});

/** levels[#{t ≤ x}] of a table's thresholds t. */
export function lookedUp(lowering: LoweringContext, op: LoweredOp, x: Value, dtype: Precision): Value {
  const thresholds = lowering.realWeight(op, 'thresholds', x.dtype === 'f64' ? 'f64' : 'f32');
  return lowering.builder.lookup(x, thresholds, lowering.realWeight(op, 'levels', dtype));
}

/** What is wrong with the shapes of thresholds [m] and levels [m + 1]. */
export function tableProblem(
  thresholds: readonly number[] | undefined,
  levels: readonly number[] | undefined,
): string | undefined {
  const fits =
    thresholds?.length === 1 && levels?.length === 1 && thresholds[0]! >= 1 && levels[0] === thresholds[0]! + 1;
  if (fits) return undefined;
  return `needs thresholds [m], m ≥ 1, and levels [m + 1], has ${shapeText(thresholds ?? [])} and ${shapeText(levels ?? [])}`;
}
