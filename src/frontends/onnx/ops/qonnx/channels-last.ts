import { transposedConstant } from '../../constant.js';
import type { NodeContext } from '../../context.js';
import { asChannelsLastImage, seenOrigin } from '../../image.js';
import type { Value } from '../../values.js';
import type { OnnxOpTable } from '../define.js';
import { maxPool } from '../pool.js';
import { batchNormalization, convolution } from '../synapse.js';

/** QONNX's wrappers of ONNX's operators for images [N, H, W, C]; their attributes are those of the operators. */
export const channelsLastOps: OnnxOpTable = {
  Conv: { inputs: [2, 3], run: conv },
  MaxPool: { inputs: [1, 1], run: (c) => maxPool(c, asChannelsLastImage) },
  BatchNormalization: { inputs: [5, 5], run: (c) => batchNormalization(c, asChannelsLastImage) },
};

export const channelsLastDomain = 'qonnx.custom_op.channels_last';

/** The weight has its channels last too: [O, kh, kw, C/g]. */
function conv(context: NodeContext): readonly Value[] {
  const weight = context.constant(1, 'the weight');
  if (weight.shape.length !== 4)
    context.badForm(`its weight has ${weight.shape.length} axes`, '[O, kh, kw, C/groups] is supported');
  const image = asChannelsLastImage(context, context.realInAnyLayout(0));
  const bias = context.optionalConstant(2, 'the bias');
  const plan = convolution(context, image, transposedConstant(weight, [0, 3, 1, 2]), bias);
  const origin = seenOrigin(image.view, context.output);
  return [plan.emit(origin === undefined ? {} : { origin })];
}
