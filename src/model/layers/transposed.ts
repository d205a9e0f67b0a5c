import { describeShape } from '../values.js';
import { type LayerDef, boolOf, isImage, numberOf, one, pairOf } from './layer-def.js';
import { groupsOf, padParameter, padsOf } from './window.js';

/**
 * `transposed_conv(channels, kernel: 2, stride: 2, pad: same, dilation: 1, groups: 1, bias: …)`: each pixel adds a window
 * to an image that is `stride` times as large; `pad` cuts its border off. Its height is (H − 1)·stride + dilation·(kernel − 1) +
 * 1 less the pads: H·stride with `pad: same`.
 */
export const transposedConv: LayerDef = {
  inputs: one,
  parameters: [
    { name: 'channels', spec: { kind: 'int', min: 1, max: 65536 }, required: true },
    { name: 'kernel', spec: { kind: 'pair', min: 1 }, default: 2 },
    { name: 'stride', spec: { kind: 'pair', min: 1 }, default: 2 },
    padParameter,
    { name: 'dilation', spec: { kind: 'pair', min: 1 }, default: 1 },
    { name: 'groups', spec: { kind: 'int', min: 1 }, default: 1 },
    { name: 'bias', spec: { kind: 'bool' } },
  ],
  build(site, [input], args, name) {
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width]', input);
    const channels = numberOf(args, 'channels')!;
    const groups = groupsOf(site, input, channels, args);
    if (groups === undefined) return undefined;
    const [kernel, stride, dilation] = [pairOf(args, 'kernel')!, pairOf(args, 'stride')!, pairOf(args, 'dilation')!];
    const span = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1] as const;
    const beyond = [span[0] - stride[0], span[1] - stride[1]] as const;
    const given = args.get('pad');
    if ((given === undefined || (given.kind === 'string' && given.value === 'same')) && beyond.some((n) => n < 0)) {
      const expected = 'a list of numbers or `none` where the kernel is smaller than its stride';
      return site.wrongArgument('pad', expected, `same, with a kernel ${describeShape(kernel)}`);
    }
    const pads = padsOf(args, beyond, 'same');
    const [height, width] = [0, 1].map(
      (axis) => (input.shape[axis + 1]! - 1) * stride[axis]! + span[axis]! - pads[axis]! - pads[axis + 2]!,
    ) as [number, number];
    if (height < 1 || width < 1) return site.wrongArgument('pad', 'less than the image', describeShape(pads));
    const bias = boolOf(args, 'bias');
    const attrs = { channels, kernel, stride, pads, dilation, output_padding: [0, 0], groups };
    const weight = [channels, input.shape[0] / groups, ...kernel];
    const all = bias === undefined ? attrs : { ...attrs, bias };
    return site.weighted(name, 'transposed_conv', input, [channels, height, width], weight, all);
  },
};
