import { elementCount } from '../../base/dtype.js';
import type { TensorValue } from '../values.js';
import { type LayerDef, type LayerSite, isImage, numberOf, one, pairOf } from './layer-def.js';
import { padsOf } from './window.js';

export const pad: LayerDef = {
  doc: 'a border around an image: a number, `[height, width]` or `[top, left, bottom, right]`',
  inputs: one,
  parameters: [
    {
      name: 'pad',
      doc: 'rows and columns: a number, [height, width] or [top, left, bottom, right]',
      required: true,
      spec: {
        kind: 'either',
        of: [
          { kind: 'pair', min: 0 },
          { kind: 'list', of: { kind: 'int', min: 0 }, length: 4 },
        ],
      },
    },
    { name: 'value', doc: 'what the border is filled with', spec: { kind: 'real' }, default: 0 },
  ],
  build(site, [input], args, name) {
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width]', input);
    const [top, left, bottom, right] = padsOf(args, [0, 0], 'none') as [number, number, number, number];
    const [channels, height, width] = input.shape;
    const shape = [channels, height + top + bottom, width + left + right];
    return site.add(name, 'pad', [input], shape, { pads: [top, left, bottom, right], value: numberOf(args, 'value')! });
  },
};

export const upsample: LayerDef = {
  doc: 'each pixel of an image (or value of [C, L]) so many times; `[down, across]`. `linear`: between neighbouring pixels by their distances, as `align_corners=False` has it elsewhere',
  inputs: one,
  parameters: [
    {
      name: 'factor',
      doc: 'how many times as large the result is, or [down, across]',
      spec: { kind: 'pair', min: 1 },
      default: 2,
    },
    {
      name: 'mode',
      doc: '`nearest` repeats pixels, `linear` goes evenly from one to the next',
      spec: { kind: 'words', words: ['nearest', 'linear'] },
      default: 'nearest',
    },
  ],
  build(site, [input], args, name) {
    const mode = args.get('mode');
    const linear = mode?.kind === 'string' && mode.value === 'linear';
    const isLine = input.shape.length === 2;
    if (isLine && args.get('factor')?.kind === 'list') {
      return site.wrongArgument('factor', 'one number for [channels, length]', 'a list');
    }
    const [down, across] = pairOf(args, 'factor')!;
    const places = (size: number, factor: number): number[] =>
      Array.from({ length: size * factor }, (_, i) => Math.floor(i / factor));
    if (isLine) {
      const [channels, length] = input.shape as [number, number];
      const row = site.add(`${name}.row`, 'reshape', [input], [channels, 1, length], { shape: [channels, 1, length] });
      const wide = [channels, 1, length * across];
      const attrs = { rows: [0], columns: places(length, across) };
      const larger = linear
        ? interpolated(site, `${name}.linear`, row, 2, across)
        : site.add(`${name}.resample`, 'resample', [row], wide, attrs);
      const shape = [channels, length * across];
      return site.add(name, 'reshape', [larger], shape, { shape });
    }
    if (!isImage(input.shape)) return site.wrongShape('[channels, height, width] or [channels, length]', input);
    const [channels, height, width] = input.shape;
    if (linear) {
      const tall = interpolated(site, across === 1 ? name : `${name}.rows`, input, 1, down);
      return interpolated(site, name, tall, 2, across);
    }
    const attrs = { rows: places(height, down), columns: places(width, across) };
    return site.add(name, 'resample', [input], [channels, height * down, width * across], attrs);
  },
};

/**
 * Linear interpolation along an axis of an image: each place of the result reads two of the input, whose weights are 1 less
 * their distances from it; beyond the border the last place counts.
 */
function interpolated(site: LayerSite, name: string, input: TensorValue, axis: 1 | 2, factor: number): TensorValue {
  if (factor === 1) return input;
  const size = input.shape[axis]!;
  const shape = input.shape.with(axis, size * factor);
  const at = Array.from({ length: size * factor }, (_, i) => Math.min(Math.max((i + 0.5) / factor - 0.5, 0), size - 1));
  const all = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const tap = (step: 0 | 1): TensorValue => {
    const places = at.map((x) => Math.min(Math.floor(x) + step, size - 1));
    const [rows, columns] = axis === 1 ? [places, all(shape[2]!)] : [all(shape[1]!), places];
    const moved = site.add(`${name}.tap`, 'resample', [input], shape, { rows, columns });
    const factors = at.map((x) => 1 - Math.abs(x - Math.floor(x) - step));
    return site.add(`${name}.weigh`, 'scale', [moved], shape, { factors, axis });
  };
  return site.add(name, 'add', [tap(0), tap(1)], shape);
}

export const channelShuffle: LayerDef = {
  doc: 'the first channels of all groups, then their second ones (ShuffleNet)',
  inputs: one,
  parameters: [
    { name: 'groups', doc: 'how many groups the channels are in', spec: { kind: 'int', min: 1 }, required: true },
  ],
  build(site, [input], args, name) {
    const groups = numberOf(args, 'groups')!;
    const [channels, ...rest] = input.shape as [number, ...number[]];
    const each = channels / groups;
    if (!Number.isInteger(each)) return site.wrongShape(`channels that ${groups} groups divide`, input);
    const shape = [groups, each, elementCount(rest)];
    const grouped = site.add(`${name}.groups`, 'reshape', [input], shape, { shape });
    const turned = [each, groups, shape[2]!];
    const mixed = site.add(`${name}.permute`, 'transpose', [grouped], turned, { perm: [1, 0, 2] });
    return site.add(name, 'reshape', [mixed], input.shape, { shape: input.shape });
  },
};

export const voting: LayerDef = {
  doc: 'means of so many features each: [classes · voters] → [classes]',
  inputs: one,
  parameters: [
    { name: 'voters', doc: 'how many features vote for a class', spec: { kind: 'int', min: 1 }, default: 10 },
  ],
  build(site, [input], args, name) {
    const voters = numberOf(args, 'voters')!;
    const classes = input.shape[0]! / voters;
    if (input.shape.length !== 1 || !Number.isInteger(classes)) {
      return site.wrongShape(`[features] that ${voters} voters divide`, input);
    }
    const image = [classes, voters, 1];
    const votes = site.add(`${name}.votes`, 'reshape', [input], image, { shape: image });
    const means = site.add(`${name}.mean`, 'globalavgpool', [votes], [classes, 1, 1]);
    return site.add(name, 'reshape', [means], [classes], { shape: [classes] });
  },
};
