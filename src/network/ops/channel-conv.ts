import { folded, stepsOf } from '../../tensor/index.js';
import { elementCount } from '../../base/dtype.js';
import { number } from './attributes.js';
import { defineOp } from './define.js';
import { realTraits } from './row-traits.js';
import { linearResult, shapeText } from './type-rules.js';

export const channelConv = defineOp({
  doc: 'Convolution over the channel axis of [C,1,1] with one kernel of odd length (ECA).',
  arity: [1, 1],
  attrs: { kernel: number() },
  params: ['weight'],
  traits: {
    ...realTraits,
    role: 'mixing',
    weights: 'kernel',
    macs: ({ output, weight }) => elementCount(output) * elementCount(weight),
    linear: true,
    accumulates: true,
  },
  lowering: {
    role: 'synapse',
    // one kernel of odd length over the channels of [C,1,1], zeros at the ends
    act: ({ builder, weight }, op, [x]) => {
      const k = op.attrs.kernel;
      const [channels] = op.type.shape as [number];
      const steps = stepsOf(x!);
      const kernel = builder.reshape(weight(op), [1, 1, 1, k]);
      const row = builder.reshape(x!, folded(steps, [1, 1, channels]));
      const half = (k - 1) / 2;
      const y = builder.conv2d(row, kernel, { stride: [1, 1], pads: [0, half, 0, half], dilation: [1, 1], groups: 1 });
      return builder.reshape(y, folded(steps, op.type.shape));
    },
  },
  type: ({ inputs }) => {
    const shape = inputs[0]!.shape;
    if (shape.length !== 3 || shape[1] !== 1 || shape[2] !== 1) return `needs a [C,1,1] input, has ${shapeText(shape)}`;
    return linearResult(inputs[0]!, shape);
  },
});
