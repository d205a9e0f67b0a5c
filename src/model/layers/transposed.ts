import { describeShape } from '../values.js';
import { type LayerDef, boolOf, isImage, numberOf, one, pairOf } from './layer-def.js';
import { biasDoc, dilationDoc, groupsDoc, groupsOf, padOf, padsOf } from './window.js';

export const transposedConv: LayerDef = {
  doc: 'transposed convolution: an image `stride` times as large; `pad` is cut off, so that with `none` it is (H − 1)·stride + dilation·(kernel − 1) + 1 high',
  inputs: one,
  parameters: [
    { name: 'channels', doc: 'how many the result has', spec: { kind: 'int', min: 1, max: 65536 }, required: true },
    {
      name: 'kernel',
      doc: 'height and width of the window that each pixel adds',
      spec: { kind: 'pair', min: 1 },
      default: 2,
    },
    { name: 'stride', doc: 'how many times as large the result is', spec: { kind: 'pair', min: 1 }, default: 2 },
    padOf(
      'same',
      'the border that is cut off the result: `same` (so that it is `stride` times as large), `none`, or numbers',
    ),
    { name: 'dilation', doc: dilationDoc, spec: { kind: 'pair', min: 1 }, default: 1 },
    { name: 'groups', doc: groupsDoc, spec: { kind: 'int', min: 1 }, default: 1 },
    { name: 'bias', doc: biasDoc, spec: { kind: 'bool' } },
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
