import { type Op, listAttr, numberAttr } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import { folded } from '../context.js';

/** A window layer's attributes as the primitives take them. */
export function window(op: Op): {
  kernel: readonly number[];
  stride: readonly number[];
  pads: readonly number[];
} {
  const { attrs } = op;
  return { kernel: listAttr(attrs, 'kernel'), stride: listAttr(attrs, 'stride'), pads: listAttr(attrs, 'pads') };
}

/**
 * A layer without parameters on one value of `steps` time steps (1 without time); undefined for the
 * kinds that need more than their input.
 */
export function lowerPlain(builder: ProgramBuilder, op: Op, x: Value, steps: number): Value | undefined {
  switch (op.kind) {
    case 'relu':
      return builder.max(x, 0);
    case 'clip':
      return builder.clip(x, numberAttr(op.attrs, 'min'), numberAttr(op.attrs, 'max'));
    case 'sigmoid':
      return builder.sigmoid(x);
    case 'avgpool':
      return builder.avgpool(x, { ...window(op), include_pad: op.attrs['include_pad'] === true });
    case 'maxpool':
      return builder.maxpool(x, window(op));
    case 'globalavgpool':
      return builder.mean(x, [2, 3], true);
    case 'flatten':
    case 'reshape':
      return builder.reshape(x, folded(steps, op.type.shape));
    case 'pad': {
      const [top, left, bottom, right] = listAttr(op.attrs, 'pads') as [number, number, number, number];
      return builder.pad(x, [0, 0, top, left], [0, 0, bottom, right], numberAttr(op.attrs, 'value'));
    }
    case 'identity':
      return x;
    default:
      return undefined;
  }
}
