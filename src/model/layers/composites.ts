import { type LayerDef, isImage, numberOf, one } from './layer-def.js';

export const shortcut: LayerDef = {
  doc: 'the way around a residual block: `x` itself where its shape stays, otherwise a 1×1 convolution with batch norm',
  inputs: one,
  parameters: [
    {
      name: 'channels',
      doc: 'of what the way around leads to',
      spec: { kind: 'int', min: 1, max: 65536 },
      required: true,
    },
    { name: 'stride', doc: 'of what the way around leads past', spec: { kind: 'int', min: 1 }, default: 1 },
  ],
  build(site, [input], args, name) {
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width]', input);
    const channels = numberOf(args, 'channels')!;
    const stride = numberOf(args, 'stride')!;
    const [before, height, width] = input.shape;
    if (before === channels && stride === 1) return input;
    const shape = [channels, Math.floor((height - 1) / stride) + 1, Math.floor((width - 1) / stride) + 1];
    const strides = [stride, stride];
    const attrs = { channels, kernel: [1, 1], stride: strides, pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
    const conv = site.weighted(`${name}.conv`, 'conv', input, shape, [channels, before, 1, 1], attrs);
    return site.add(`${name}.batchnorm`, 'batchnorm', [conv], shape, { epsilon: 1e-5, momentum: 0.1 });
  },
};

/** Efficient channel attention (MBM eq. 16). */
export const eca: LayerDef = {
  doc: 'channel attention: x ⊙ σ(conv1d over the channels of the global average), without bias; `kernel` is odd',
  inputs: one,
  parameters: [
    {
      name: 'kernel',
      doc: 'how many neighbouring channels are looked at',
      spec: { kind: 'int', min: 1, max: 63 },
      default: 3,
    },
  ],
  build(site, [input], args, name) {
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width]', input);
    const kernel = numberOf(args, 'kernel')!;
    if (kernel % 2 === 0) return site.wrongShape(`an odd kernel instead of ${kernel}`, input);
    const shape = [input.shape[0], 1, 1];
    const mean = site.add(`${name}.mean`, 'globalavgpool', [input], shape);
    const mixed = site.add(`${name}.conv`, 'channelconv', [mean], shape, { kernel });
    const gain = site.add(`${name}.sigmoid`, 'sigmoid', [mixed], shape);
    return site.add(`${name}.mul`, 'mul', [input, gain], input.shape);
  },
};
