import type { NodeContext } from '../context.js';
import { type Image, asChannelsLastImage, asImage, asSpace, seenOrigin, viewed } from '../image.js';
import { mostComputed } from '../tensor-data.js';
import { type RealValue, type Value, onGridOf } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { overAxes } from './over-axes.js';
import { type Window, readWindow, windowAttrs } from './window.js';

/** Pooling over windows and over whole images. */
export const poolOps: OnnxOpTable = {
  MaxPool: { inputs: [1, 1], run: (c) => maxPool(c) },
  AveragePool: { inputs: [1, 1], run: (c) => [averagePool(c, asSpace(c, c.realInAnyLayout(0)), c.output)] },
  GlobalAveragePool: { inputs: [1, 1], run: (c) => [meanOfAll(c, asSpace(c, c.realInAnyLayout(0)), c.output)] },
  GlobalMaxPool: { inputs: [1, 1], run: globalMaxPool },
  ReduceMean: { inputs: [1, 2], run: (c) => [reducedMean(c, c.realInAnyLayout(0), c.output)] },
  ReduceSum: { inputs: [1, 2], run: (c) => [reducedSum(c, c.realInAnyLayout(0))] },
  ReduceMax: { inputs: [1, 2], run: reducedMax },
};

/** MaxPool; `toImage` says how its input's axes lie. */
export function maxPool(context: NodeContext, toImage: typeof asImage = asSpace): readonly Value[] {
  if (context.isRead(1)) context.badForm('its output Indices is used');
  const { value, rewrap } = context.realOrCodes(0);
  const { x, view } = toImage(context, value);
  const window = poolWindow(context, x, view);
  if (window.dilation.some((d) => d !== 1)) context.badForm('its dilations are not 1');
  const origin = seenOrigin(view, context.output);
  const result =
    window.kernel.length === 3
      ? overVolume(context, 'maxpool', x, window, {}, origin)
      : context.emit({ kind: 'maxpool', inputs: [x], attrs: windowAttrs(window), origin });
  return [rewrap(viewed(onGridOf(x, result), view))];
}

function globalMaxPool(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  const { x, view } = asSpace(context, value);
  return [rewrap(viewed(globalMax(context, x, context.output), view))];
}

function globalMax(context: NodeContext, x: RealValue, origin: string | undefined): RealValue {
  const [, ...size] = context.shapeOf(x);
  if (size.length === 3) {
    const { image, kept } = asOneImage(context, x, origin);
    return onGridOf(x, kept(globalMax(context, onGridOf(x, image), undefined)));
  }
  const attrs = { kernel: size, stride: [1, 1], pads: [0, 0, 0, 0] };
  const result = context.emit({ kind: 'maxpool', inputs: [x], attrs, origin });
  return onGridOf(x, result);
}

export function averagePool(context: NodeContext, { x, view }: Image, origin: string | undefined): RealValue {
  const window = poolWindow(context, x, view);
  if (window.dilation.some((d) => d !== 1)) context.badForm('its dilations are not 1');
  const includePad = context.int('count_include_pad', 0) !== 0;
  const extended = window.extended && context.int('ceil_mode', 0) !== 0;
  if (window.kernel.length === 3) {
    if (includePad && extended) context.badForm('over three axes it counts padding, and has ceil_mode');
    const counts = { include_pad: includePad && window.pads.some((n) => n > 0) };
    return overVolume(context, 'avgpool', x, window, counts, origin);
  }
  if (includePad && extended) return countedTo(context, { x, view }, window, origin);
  const padded = window.pads.some((n) => n > 0);
  const attrs = { ...windowAttrs(window), include_pad: includePad && padded };
  return viewed(context.emit({ kind: 'avgpool', inputs: [x], attrs, origin: seenOrigin(view, origin) }), view);
}

/**
 * An average that counts the declared padding, but not what ceil_mode adds behind it: one that counts all of it, times
 * window/counted at each position.
 */
function countedTo(context: NodeContext, { x, view }: Image, window: Window, origin: string | undefined): RealValue {
  const declared = readWindow(
    context,
    context.shapeOf(x),
    context.sizes('kernel_shape', view?.length === 3 ? 1 : 2, 1),
  );
  const attrs = { ...windowAttrs(window), include_pad: true };
  const average = context.emit({ kind: 'avgpool', inputs: [x], attrs, suffix: 'counted' });
  const [channels, height, width] = context.shapeOf(average) as [number, number, number];
  if (channels * height * width > mostComputed) context.badForm('its result is too large for factors of its own');
  const [, ...size] = context.shapeOf(x);
  /** How many of a window's places lie on the input and its declared padding. */
  const counted = (axis: 0 | 1, at: number): number => {
    const start = at * window.stride[axis]!;
    const end = size[axis]! + declared.pads[axis]! + declared.pads[axis + 2]!;
    return Math.min(start + window.kernel[axis]!, end) - start;
  };
  const whole = window.kernel[0]! * window.kernel[1]!;
  const data = Float64Array.from({ length: channels * height * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width) % height, i % width];
    return whole / (counted(0, row) * counted(1, column));
  });
  const scale = { tensor: { dtype: 'f64' as const, shape: [channels, height, width], data } };
  const named = { suffix: 'average', origin: seenOrigin(view, origin) };
  return viewed(context.emit({ kind: 'affine', inputs: [average], params: { scale }, ...named }), view);
}

/**
 * The window of a pooling op. ceil_mode is written as more padding behind: it never wins a maximum,
 * and an average that doesn't count padding ignores it.
 */
function poolWindow(
  context: NodeContext,
  x: RealValue,
  view: readonly number[] | undefined,
): Window & { readonly extended: boolean } {
  const shape = context.shapeOf(x);
  const axes = view?.length === 3 ? 1 : shape.length - 1;
  const window = readWindow(context, shape, context.sizes('kernel_shape', axes, 1));
  const count = window.kernel.length;
  if (context.int('ceil_mode', 0) === 0) return { ...checkedPads(context, window), extended: false };
  const pads = [...window.pads];
  for (let axis = 0; axis < count; axis++) {
    const span = window.dilation[axis]! * (window.kernel[axis]! - 1) + 1;
    const stride = window.stride[axis]!;
    const before = pads[axis]!;
    const free = shape[axis + 1]! + before + pads[axis + count]! - span;
    let out = Math.ceil(free / stride) + 1;
    // a last window that would start in the padding behind the image is left out
    if ((out - 1) * stride >= shape[axis + 1]! + before) out--;
    pads[axis + count] = Math.max(pads[axis + count]!, (out - 1) * stride + span - shape[axis + 1]! - before);
  }
  const extended = pads.some((n, i) => n !== window.pads[i]);
  return { ...checkedPads(context, { ...window, pads }), extended };
}

function checkedPads(context: NodeContext, window: Window): Window {
  if (window.pads.some((n, i) => n >= window.kernel[i % window.kernel.length]!)) {
    context.badForm(`pads [${window.pads.join(', ')}] are as large as its kernel [${window.kernel.join(', ')}]`);
  }
  return window;
}

/** The axes that are reduced, in the file's order, and as they lie in the value. */
function reducedAxes(context: NodeContext, x: RealValue): { listed: readonly number[]; actual: readonly number[] } {
  const rank = context.onnxShape(x).length;
  // PULP's tools write one axis as a number
  const single = context.node.opType === 'IntegerMean' ? context.node.attributes.get('axes')?.i : undefined;
  const given = single === undefined ? (context.integers(1, 'axes') ?? context.ints('axes') ?? []) : [single];
  const listed = given.map((axis) => (axis < 0 ? axis + rank : axis));
  return { listed, actual: listed.map((axis) => x.perm?.[axis] ?? axis).sort() };
}

export function reducedMean(context: NodeContext, x: RealValue, origin: string | undefined): RealValue {
  const rank = context.onnxShape(x).length;
  const { listed, actual } = reducedAxes(context, x);
  const keep = context.int('keepdims', 1) !== 0;
  if (rank === 3 && listed.join() === '2' && !context.graph.lineMeans.has(x.op)) {
    const image = asImage(context, x);
    return keep ? meanOfAll(context, image, origin) : globalAverage(context, image.x, false, origin);
  }
  if (rank === 3 && listed.join() === '1' && !context.graph.lineMeans.has(x.op)) {
    // [N, T, F] over T: the mean of a line whose channels are last
    const { x: image } = asChannelsLastImage(context, x);
    const mean = globalAverage(context, image, false, keep ? undefined : origin);
    const [features] = context.shapeOf(mean);
    return keep
      ? context.emit({ kind: 'reshape', inputs: [mean], attrs: { shape: [1, features!] }, suffix: 'kept', origin })
      : mean;
  }
  if (x.perm === undefined && actual.length === 1) {
    const mean = lineMean(context, x, actual[0]!, keep, origin);
    if (mean !== undefined) return mean;
  }
  if (rank === 5 && actual.join() === '2,3,4') {
    if (keep) return meanOfAll(context, asSpace(context, x), origin);
    const { image } = asOneImage(context, context.inOwnLayout(x), undefined);
    return globalAverage(context, image, false, origin);
  }
  if (rank !== 4 || actual.join() !== '2,3') {
    return overAxes(context, x, listed, keep, origin, (lines) =>
      globalAverage(context, asImage(context, lines).x, false, undefined),
    );
  }
  if (keep && x.perm !== undefined) return { ...globalAverage(context, x, true, origin), perm: x.perm };
  return globalAverage(context, x, keep, origin);
}

/** So many times the mean as there are values. */
/** The sum over the axes of the node: its result, or with a suffix a helper of it. */
export function reducedSum(context: NodeContext, x: RealValue, suffix?: string): RealValue {
  const shape = context.onnxShape(x);
  const { listed } = reducedAxes(context, x);
  const count = listed.reduce((product, axis) => product * (shape[axis] ?? NaN), 1);
  if (!(count >= 1)) context.badForm(`it reduces axes [${listed.join(', ')}] of ${shape.length}`);
  const { op, perm } = reducedMean(context, x, undefined);
  const scale = { tensor: { dtype: 'f64' as const, shape: [1], data: Float64Array.of(count) } };
  const mean: RealValue = { kind: 'real', op };
  const sum = context.emit({
    kind: 'affine',
    inputs: [mean],
    params: { scale },
    ...(suffix === undefined ? { suffix: 'sum', origin: context.output } : { suffix }),
  });
  return perm === undefined ? sum : { ...sum, perm };
}

/** The greatest over H and W: a pool of one window. */
function reducedMax(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  return [rewrap(greatestOf(context, value, context.output))];
}

/** The greatest value over the axes of the node. */
export function greatestOf(context: NodeContext, value: RealValue, origin: string | undefined): RealValue {
  const rank = context.onnxShape(value).length;
  const { listed, actual } = reducedAxes(context, value);
  const overImage = rank === 4 ? actual.join() === '2,3' : rank === 3 && listed.join() === '2';
  const keep = context.int('keepdims', 1) !== 0;
  if (!overImage) {
    const ofLines = (lines: RealValue): RealValue => {
      const greatest = globalMax(context, asImage(context, lines).x, undefined);
      return onGridOf(greatest, context.emit({ kind: 'flatten', inputs: [greatest], suffix: 'flatten' }));
    };
    return overAxes(context, value, listed, keep, origin, ofLines);
  }
  const { x, view } = asImage(context, value);
  const greatest = globalMax(context, x, keep ? seenOrigin(view, origin) : undefined);
  if (keep) return viewed(greatest, view);
  const flat = context.emit({ kind: 'flatten', inputs: [greatest], suffix: 'flatten', origin });
  return onGridOf(greatest, flat);
}

/**
 * The mean over the height (axis 2) or the width (axis 3) of an image. The mean of the one over the
 * other is that of the image: all windows are of one size.
 */
function lineMean(
  context: NodeContext,
  x: RealValue,
  axis: number,
  keep: boolean,
  origin: string | undefined,
): RealValue | undefined {
  const first = context.graph.lineMeans.get(x.op);
  const shape = context.shapeOf(x);
  if (first !== undefined) {
    // without the averaged axis, [C, H] and [C, W] have the other one at axis 2
    const other = shape.length === 3 ? axis : 5 - first.axis;
    const fits = shape.length === 3 ? axis !== first.axis && axis !== 1 : axis === 2;
    if (fits && other !== first.axis) return globalAverage(context, first.image, keep, origin);
  }
  if (shape.length !== 3 || (axis !== 2 && axis !== 3)) return undefined;
  const [channels, height, width] = shape as [number, number, number];
  const kernel = axis === 2 ? [height, 1] : [1, width];
  const attrs = { kernel, stride: [1, 1], pads: [0, 0, 0, 0], include_pad: false };
  const mean = context.emit({ kind: 'avgpool', inputs: [x], attrs, origin: keep ? origin : undefined });
  const lined = keep
    ? mean
    : context.emit({
        kind: 'reshape',
        inputs: [mean],
        attrs: { shape: [channels, axis === 2 ? width : height] },
        suffix: 'squeeze',
        origin,
      });
  context.graph.lineMeans.set(lined.op, { image: x, axis });
  return lined;
}

/** The mean over H and W, as [C,1,1] or [C]. */
export function globalAverage(
  context: NodeContext,
  x: RealValue,
  keep: boolean,
  origin: string | undefined,
): RealValue {
  const mean = context.emit({ kind: 'globalavgpool', inputs: [x], origin: keep ? origin : undefined });
  return keep ? mean : context.emit({ kind: 'flatten', inputs: [mean], suffix: 'flatten', origin });
}

/** The same of an image whose ONNX axes lie otherwise, with them kept. */
export function meanOfAll(context: NodeContext, { x, view }: Image, origin: string | undefined): RealValue {
  if (context.shapeOf(x).length === 4) {
    const { image, kept } = asOneImage(context, x, origin);
    return kept(globalAverage(context, image, true, undefined));
  }
  return viewed(globalAverage(context, x, true, origin), view);
}

/** [C, D, H, W] as an image [C, D·H, W], and what is of shape [C, 1, 1] then as [C, 1, 1, 1], which the ONNX tensor equals. */
function asOneImage(
  context: NodeContext,
  x: RealValue,
  origin: string | undefined,
): { readonly image: RealValue; readonly kept: (y: RealValue) => RealValue } {
  const [channels, depth, height, width] = context.shapeOf(x) as [number, number, number, number];
  const shaped = (from: RealValue, shape: readonly number[], suffix: string, named?: string): RealValue =>
    context.emit({ kind: 'reshape', inputs: [from], attrs: { shape: [...shape] }, suffix, origin: named });
  return {
    image: shaped(x, [channels, depth * height, width], 'image'),
    kept: (y) => shaped(y, [channels, 1, 1, 1], 'kept', origin),
  };
}

/** A pool of [C, D, H, W]: over height and width at each depth, then over the depth. The greatest and the mean of a box are those of its slices. */
function overVolume(
  context: NodeContext,
  kind: 'avgpool' | 'maxpool',
  x: RealValue,
  { kernel, stride, pads }: Window,
  counts: { readonly include_pad?: boolean },
  origin: string | undefined,
): RealValue {
  const [channels, depth, ...image] = context.shapeOf(x) as [number, number, number, number];
  const shaped = (from: RealValue, shape: readonly number[], suffix: string, named?: string): RealValue =>
    context.emit({ kind: 'reshape', inputs: [from], attrs: { shape: [...shape] }, suffix, origin: named });
  const slices = shaped(x, [channels * depth, ...image], 'slices');
  const within = context.emit({
    kind,
    inputs: [slices],
    attrs: {
      kernel: kernel.slice(1),
      stride: stride.slice(1),
      pads: [pads[1]!, pads[2]!, pads[4]!, pads[5]!],
      ...counts,
    },
    suffix: 'within',
  });
  const [, height, width] = context.shapeOf(within) as [number, number, number];
  const lines = shaped(within, [channels, depth, height * width], 'lines');
  const across = context.emit({
    kind,
    inputs: [lines],
    attrs: { kernel: [kernel[0]!, 1], stride: [stride[0]!, 1], pads: [pads[0]!, 0, pads[3]!, 0], ...counts },
    suffix: 'across',
  });
  const [, deep] = context.shapeOf(across) as [number, number, number];
  return shaped(across, [channels, deep, height, width], 'volume', origin);
}
