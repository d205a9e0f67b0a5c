import { type LayerDef, boolOf, numberOf, one } from './layer-def.js';
import { axisOf } from './shapes.js';
import { biasDoc, dilationDoc, groupsDoc, groupsOf, padOf, sizesParameter, windowOver, windowOver3 } from './window.js';

export const conv: LayerDef = {
  doc: 'convolution of [C, H, W], of [C, L] or of [C, D, H, W]',
  inputs: one,
  parameters: [
    { name: 'channels', doc: 'how many the result has', spec: { kind: 'int', min: 1, max: 65536 }, required: true },
    sizesParameter('kernel', 'height and width of the window', 3),
    sizesParameter('stride', 'how far windows are apart', 1),
    padOf('same'),
    sizesParameter('dilation', dilationDoc, 1),
    { name: 'groups', doc: groupsDoc, spec: { kind: 'int', min: 1 }, default: 1 },
    { name: 'bias', doc: biasDoc, spec: { kind: 'bool' } },
  ],
  build(site, [input], args, name) {
    const deep = input.shape.length === 4;
    const window = (deep ? windowOver3 : windowOver)(site, input, args, 'same');
    if (window === undefined) return undefined;
    const channels = numberOf(args, 'channels')!;
    const groups = groupsOf(site, input, channels, args);
    if (groups === undefined) return undefined;
    const { kernel, stride, dilation, pads, spatial } = window;
    const bias = boolOf(args, 'bias');
    const attrs = { channels, kernel, stride, pads, dilation, groups, ...(bias === undefined ? {} : { bias }) };
    const weight = [channels, input.shape[0]! / groups, ...kernel];
    return site.weighted(name, deep ? 'conv3d' : 'conv', input, [channels, ...spatial], weight, attrs);
  },
};

export const linear: LayerDef = {
  doc: 'fully connected over the last axis, of [features], [tokens, features] or [C, 1, 1]',
  inputs: one,
  parameters: [
    { name: 'features', doc: 'how many the result has', spec: { kind: 'int', min: 1, max: 1 << 20 }, required: true },
    { name: 'bias', doc: biasDoc, spec: { kind: 'bool' } },
  ],
  shapeWithout: (_known, args) => {
    const features = numberOf(args, 'features');
    return features === undefined ? undefined : [features];
  },
  build(site, [input], args, name) {
    const features = numberOf(args, 'features')!;
    const bias = boolOf(args, 'bias');
    const attrs = { features, ...(bias === undefined ? {} : { bias }) };
    const weight = [features, input.shape[0]!];
    if (input.shape.length === 1) return site.weighted(name, 'linear', input, [features], weight, attrs);
    const [, height, width] = input.shape;
    if (input.shape.length === 3 && height === 1 && width === 1) {
      const flat = site.add(`${name}.flatten`, 'flatten', [input], [input.shape[0]!]);
      return site.weighted(name, 'linear', flat, [features], weight, attrs);
    }
    if (input.shape.length === 2) {
      const [tokens, before] = input.shape as [number, number];
      return site.weighted(name, 'linear', input, [tokens, features], [features, before], attrs);
    }
    return site.wrongShape(
      `[features] or [tokens, features] (put \`flatten\`, \`global_avgpool\` or \`reshape\` before it)`,
      input,
    );
  },
};

export const batchnorm: LayerDef = {
  doc: 'over channels or features: axis 0, right behind a `linear` its last, unless `axis` says another; `gamma` is what the learned gains start from',
  inputs: one,
  parameters: [
    {
      name: 'epsilon',
      doc: 'what is added to the variance before it divides',
      spec: { kind: 'real', above: 0 },
      default: 1e-5,
    },
    {
      name: 'momentum',
      doc: 'the share of a batch in the running mean and variance',
      spec: { kind: 'real', above: 0, max: 1 },
      default: 0.1,
    },
    {
      name: 'gamma',
      doc: 'what the learned gains start from; 0 lets a branch begin silent',
      spec: { kind: 'real' },
      default: 1,
    },
    { name: 'axis', doc: 'which axis has the channels or features', spec: { kind: 'int' } },
  ],
  build(site, [input], args, name) {
    const axis = axisOf(site, input, args, input.layer === 'linear' ? -1 : 0);
    if (axis === undefined) return undefined;
    const gamma = numberOf(args, 'gamma')!;
    const attrs = {
      epsilon: numberOf(args, 'epsilon')!,
      momentum: numberOf(args, 'momentum')!,
      ...(gamma === 1 ? {} : { gamma }),
      ...(axis === 0 ? {} : { axis }),
    };
    return site.add(name, 'batchnorm', [input], input.shape, attrs);
  },
};
