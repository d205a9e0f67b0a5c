import type { NodeContext } from '../context.js';
import { type Image, asImage, seenOrigin, viewed } from '../image.js';
import type { RealValue, Value } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { type Window, readWindow, windowAttrs } from './window.js';

/** Pooling over windows and over whole images. */
export const poolOps: OnnxOpTable = {
  MaxPool: { inputs: [1, 1], run: (c) => maxPool(c) },
  AveragePool: { inputs: [1, 1], run: (c) => [averagePool(c, asImage(c, c.realInAnyLayout(0)), c.output)] },
  GlobalAveragePool: { inputs: [1, 1], run: (c) => [meanOfAll(c, asImage(c, c.realInAnyLayout(0)), c.output)] },
  GlobalMaxPool: { inputs: [1, 1], run: globalMaxPool },
  ReduceMean: { inputs: [1, 2], run: reduceMean },
};

/** MaxPool; `toImage` says how its input's axes lie. */
export function maxPool(context: NodeContext, toImage: typeof asImage = asImage): readonly Value[] {
  if (context.isRead(1)) context.badForm('its output Indices is used');
  const { value, rewrap } = context.realOrCodes(0);
  const { x, view } = toImage(context, value);
  const window = poolWindow(context, x, view);
  if (window.dilation.some((d) => d !== 1)) context.badForm('its dilations are not 1');
  const result = context.emit({
    kind: 'maxpool',
    inputs: [x],
    attrs: windowAttrs(window),
    origin: seenOrigin(view, context.output),
  });
  return [rewrap(viewed(x.grid === undefined ? result : { ...result, grid: x.grid }, view))];
}

function globalMaxPool(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  const { x, view } = asImage(context, value);
  const [, ...size] = context.shapeOf(x);
  const attrs = { kernel: size, stride: [1, 1], pads: [0, 0, 0, 0] };
  const result = context.emit({ kind: 'maxpool', inputs: [x], attrs, origin: context.output });
  return [rewrap(viewed(x.grid === undefined ? result : { ...result, grid: x.grid }, view))];
}

export function averagePool(context: NodeContext, { x, view }: Image, origin: string | undefined): RealValue {
  const window = poolWindow(context, x, view);
  if (window.dilation.some((d) => d !== 1)) context.badForm('its dilations are not 1');
  const includePad = context.int('count_include_pad', 0) !== 0;
  const extended = window.extended && context.int('ceil_mode', 0) !== 0;
  if (includePad && extended)
    context.badForm('ceil_mode and count_include_pad are both set, with a last window beyond the border');
  const padded = window.pads.some((n) => n > 0);
  const attrs = { ...windowAttrs(window), include_pad: includePad && padded };
  return viewed(context.emit({ kind: 'avgpool', inputs: [x], attrs, origin: seenOrigin(view, origin) }), view);
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
  const window = readWindow(context, shape, context.sizes('kernel_shape', view?.length === 3 ? 1 : 2, 1));
  if (context.int('ceil_mode', 0) === 0) return { ...checkedPads(context, window), extended: false };
  const pads = [...window.pads];
  for (let axis = 0; axis < 2; axis++) {
    const span = window.dilation[axis]! * (window.kernel[axis]! - 1) + 1;
    const stride = window.stride[axis]!;
    const before = pads[axis]!;
    const free = shape[axis + 1]! + before + pads[axis + 2]! - span;
    let out = Math.ceil(free / stride) + 1;
    // a last window that would start in the padding behind the image is left out
    if ((out - 1) * stride >= shape[axis + 1]! + before) out--;
    pads[axis + 2] = Math.max(pads[axis + 2]!, (out - 1) * stride + span - shape[axis + 1]! - before);
  }
  const extended = pads.some((n, i) => n !== window.pads[i]);
  return { ...checkedPads(context, { ...window, pads }), extended };
}

function checkedPads(context: NodeContext, window: Window): Window {
  if (window.pads.some((n, i) => n >= window.kernel[i % 2]!)) {
    context.badForm(`pads [${window.pads.join(', ')}] are as large as its kernel [${window.kernel.join(', ')}]`);
  }
  return window;
}

function reduceMean(context: NodeContext): readonly Value[] {
  const x = context.realInAnyLayout(0);
  const rank = context.onnxShape(x).length;
  const axes = context.integers(1, 'axes') ?? context.ints('axes') ?? [];
  const inLayout = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  const actual = inLayout.map((axis) => x.perm?.[axis] ?? axis).sort();
  const keep = context.int('keepdims', 1) !== 0;
  if (rank === 3 && inLayout.join() === '2' && !context.graph.lineMeans.has(x.op)) {
    const image = asImage(context, x);
    return [keep ? meanOfAll(context, image, context.output) : globalAverage(context, image.x, false, context.output)];
  }
  if (x.perm === undefined && actual.length === 1) {
    const mean = lineMean(context, x, actual[0]!, keep);
    if (mean !== undefined) return [mean];
  }
  if (rank !== 4 || actual.join() !== '2,3') {
    context.badForm(`it averages axes [${axes.join(', ')}]`, 'ReduceMean is supported over H and W of [N, C, H, W]');
  }
  if (keep && x.perm !== undefined) {
    return [{ ...globalAverage(context, x, true, context.output), perm: x.perm }];
  }
  return [globalAverage(context, x, keep, context.output)];
}

/**
 * The mean over the height (axis 2) or the width (axis 3) of an image. The mean of the one over the
 * other is that of the image: all windows are of one size.
 */
function lineMean(context: NodeContext, x: RealValue, axis: number, keep: boolean): RealValue | undefined {
  const first = context.graph.lineMeans.get(x.op);
  const shape = context.shapeOf(x);
  if (first !== undefined) {
    // without the averaged axis, [C, H] and [C, W] have the other one at axis 2
    const other = shape.length === 3 ? axis : 5 - first.axis;
    const fits = shape.length === 3 ? axis !== first.axis && axis !== 1 : axis === 2;
    if (fits && other !== first.axis) return globalAverage(context, first.image, keep, context.output);
  }
  if (shape.length !== 3 || (axis !== 2 && axis !== 3)) return undefined;
  const [channels, height, width] = shape as [number, number, number];
  const kernel = axis === 2 ? [height, 1] : [1, width];
  const attrs = { kernel, stride: [1, 1], pads: [0, 0, 0, 0], include_pad: false };
  const mean = context.emit({ kind: 'avgpool', inputs: [x], attrs, origin: keep ? context.output : undefined });
  const lined = keep
    ? mean
    : context.emit({
        kind: 'reshape',
        inputs: [mean],
        attrs: { shape: [channels, axis === 2 ? width : height] },
        suffix: 'squeeze',
        origin: context.output,
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
  return viewed(globalAverage(context, x, true, origin), view);
}
