import type { Setting, Spec } from '../schema.js';
import type { TensorValue, Value } from '../values.js';
import { describeShape } from '../values.js';
import { type LayerSite, isImage, numberOf, pairOf } from './layer-def.js';

const padParameter = {
  name: 'pad',
  doc: 'the border around the input: `same` (what keeps the size at stride 1), `none`, a number, [height, width] or [top, left, bottom, right]',
  spec: {
    kind: 'either',
    of: [
      { kind: 'words', words: ['same', 'none'] },
      { kind: 'pair', min: 0 },
      { kind: 'list', of: { kind: 'int', min: 0 }, length: 3 },
      { kind: 'list', of: { kind: 'int', min: 0 }, length: 4 },
    ],
  },
} as const satisfies Setting;

/** The border of a window, with what holds where nothing is said. */
export function padOf(otherwise: 'same' | 'none', doc: string = padParameter.doc): Setting {
  return { ...padParameter, doc, otherwise: `\`${otherwise}\`` };
}

/** Sizes of windows: a number, or one for each of two axes or three. */
export function sizesParameter(name: string, doc: string, otherwise?: number): Setting {
  const of: Spec[] = [
    { kind: 'pair', min: 1 },
    { kind: 'list', of: { kind: 'int', min: 1 }, length: 3 },
  ];
  return { name, doc, spec: { kind: 'either', of }, ...(otherwise === undefined ? {} : { default: otherwise }) };
}

export const groupsDoc = 'into how many groups the channels go that know nothing of each other';
export const dilationDoc = 'how far the taps of the window are apart';
export const biasDoc = 'whether a number is added to each output; without it, unless batch norm alone follows';

/** Where a window goes on [channels, depth, height, width]. */
export interface Window3 {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** front, top, left, back, bottom, right */
  readonly pads: readonly number[];
  readonly spatial: readonly number[];
}

/** As {@link windowOver}, of values with a depth: sizes are one number or [depth, height, width]. */
export function windowOver3(
  site: LayerSite,
  input: TensorValue,
  args: ReadonlyMap<string, Value>,
  otherwise: 'same' | 'none',
): Window3 | undefined {
  const sizesOf = (name: string): readonly number[] | undefined => {
    const value = args.get(name);
    if (value?.kind === 'number') return [value.value, value.value, value.value];
    return value?.kind === 'list' && value.items.length === 3
      ? value.items.map((item) => (item.kind === 'number' ? item.value : NaN))
      : undefined;
  };
  const listed = ['kernel', 'stride', 'dilation', 'pad'].find(
    (name) => args.get(name)?.kind === 'list' && sizesOf(name) === undefined,
  );
  if (listed !== undefined) return site.wrongArgument(listed, 'one number or [depth, height, width]', 'another list');
  const kernel = sizesOf('kernel') ?? [2, 2, 2];
  const stride = sizesOf('stride') ?? kernel;
  const dilation = sizesOf('dilation') ?? [1, 1, 1];
  const reach = kernel.map((size, axis) => dilation[axis]! * (size - 1));
  const given = args.get('pad');
  const word = given?.kind === 'string' ? given.value : otherwise;
  const before = sizesOf('pad') ?? reach.map((n) => (word === 'same' ? Math.floor(n / 2) : 0));
  const after = sizesOf('pad') ?? reach.map((n, axis) => (word === 'same' ? n - before[axis]! : 0));
  const spatial = kernel.map(
    (_, axis) =>
      Math.floor((input.shape[axis + 1]! + before[axis]! + after[axis]! - reach[axis]! - 1) / stride[axis]!) + 1,
  );
  if (spatial.some((size) => size < 1)) {
    const window = describeShape(reach.map((n) => n + 1));
    return site.wrongShape(`a depth, height and width that hold its window ${window}`, input);
  }
  return { kernel, stride, dilation, pads: [...before, ...after], spatial };
}

export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** top, left, bottom, right */
  readonly pads: readonly number[];
  /** Of what results: [height, width], or [length] of [channels, length]. */
  readonly spatial: readonly number[];
}

/**
 * Where a window of the arguments' kernel, stride, dilation and pad goes on an image, and the size of
 * what results: ⌊(size + pads − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 */
export function windowOver(
  site: LayerSite,
  input: TensorValue,
  args: ReadonlyMap<string, Value>,
  otherwise: 'same' | 'none',
): Window | undefined {
  const isLine = input.shape.length === 2;
  if (!isImage(input.shape) && !isLine) {
    return site.wrongShape('[channels, height, width], [channels, length] or [channels, depth, height, width]', input);
  }
  const long = ['kernel', 'stride', 'dilation', 'pad'].find((name) => {
    const value = args.get(name);
    return value?.kind === 'list' && value.items.length === 3;
  });
  if (long !== undefined) return site.wrongArgument(long, 'sizes of as many axes as the input has', 'three of them');
  const sizes = (name: string): readonly [number, number] | undefined => (isLine ? lineOf : pairOf)(args, name);
  const kernel = sizes('kernel') ?? (isLine ? [1, 2] : [2, 2]);
  const stride = sizes('stride') ?? kernel;
  const dilation = sizes('dilation') ?? [1, 1];
  const listed = ['kernel', 'stride', 'dilation'].find((name) => isLine && args.get(name)?.kind === 'list');
  if (listed !== undefined) return site.wrongArgument(listed, 'one number for [channels, length]', 'a list');
  const reach = [dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)] as const;
  const pads = isLine ? linePadsOf(args, reach[1], otherwise) : padsOf(args, reach, otherwise);
  if (pads === undefined) return site.wrongArgument('pad', 'a number or [before, after]', 'four of them');
  const [h, w] = isLine ? [1, input.shape[1]!] : [input.shape[1]!, input.shape[2]!];
  const height = Math.floor((h + pads[0]! + pads[2]! - reach[0] - 1) / stride[0]) + 1;
  const width = Math.floor((w + pads[1]! + pads[3]! - reach[1] - 1) / stride[1]) + 1;
  if (height < 1 || width < 1) {
    const window = describeShape([reach[0] + 1, reach[1] + 1]);
    const needs = isLine
      ? `a length that holds its window of ${reach[1] + 1}`
      : `a height and width that hold its window ${window}`;
    return site.wrongShape(needs, input);
  }
  return { kernel, stride, dilation, pads, spatial: isLine ? [width] : [height, width] };
}

/** One number, along the length of [channels, length]. */
function lineOf(args: ReadonlyMap<string, Value>, name: string): readonly [number, number] | undefined {
  const size = numberOf(args, name);
  return size === undefined ? undefined : [1, size];
}

/** `pad` of a length: a number, [before, after], `same` or `none`; undefined of four numbers. */
function linePadsOf(
  args: ReadonlyMap<string, Value>,
  reach: number,
  otherwise: 'same' | 'none',
): readonly number[] | undefined {
  const given = args.get('pad');
  if (given?.kind === 'list' && given.items.length === 4) return undefined;
  const [before, after] = pairOf(args, 'pad') ?? [];
  if (before !== undefined) return [0, before, 0, after!];
  return padsOf(args, [0, reach], otherwise);
}

/** `pad` as top, left, bottom, right; `same` shares what a window reaches beyond one position. */
export function padsOf(
  args: ReadonlyMap<string, Value>,
  reach: readonly [number, number],
  otherwise: 'same' | 'none',
): readonly number[] {
  const given = args.get('pad');
  if (given?.kind === 'list' && given.items.length === 4) {
    return given.items.map((item) => (item.kind === 'number' ? item.value : 0));
  }
  const pair = pairOf(args, 'pad');
  if (pair !== undefined) return [pair[0], pair[1], pair[0], pair[1]];
  const word = given?.kind === 'string' ? given.value : otherwise;
  if (word === 'none') return [0, 0, 0, 0];
  const before = [Math.floor(reach[0] / 2), Math.floor(reach[1] / 2)] as const;
  return [before[0], before[1], reach[0] - before[0], reach[1] - before[1]];
}

/** Channels of an image, in groups, or a report. */
export function groupsOf(
  site: LayerSite,
  input: TensorValue,
  channels: number,
  args: ReadonlyMap<string, Value>,
): number | undefined {
  const groups = numberOf(args, 'groups') ?? 1;
  if (input.shape[0]! % groups !== 0) return site.wrongShape(`channels that ${groups} groups divide`, input);
  if (channels % groups !== 0)
    return site.wrongShape(`output channels (${channels}) that ${groups} groups divide`, input);
  return groups;
}
