import { elementCount } from '../../../base/dtype.js';
import { scaledBy } from '../activation-quantiser.js';
import type { NodeContext } from '../context.js';
import { asChannelsLastImage, asImage, seenOrigin, viewed } from '../image.js';
import { mostComputed } from '../tensor-data.js';
import { type CodesValue, type QuantCode, type RealValue, type Value, inAxesOf, onGridOf } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Resampling: by the nearest neighbour, which rows and columns are taken; linear and cubic, with which weights. */
export const resizeOps: OnnxOpTable = {
  Resize: { inputs: [1, 4], run: resize },
  Upsample: { inputs: [1, 2], run: resize },
};

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

function resize(context: NodeContext): readonly Value[] {
  const { value, rewrap } = context.realOrCodes(0);
  const axes = axesOf(context, context.onnxShape(value));
  const changes = (axis: Axis | undefined): boolean => axis !== undefined && axis.from !== axis.to;
  // onnxruntime's layout optimiser leaves channels last: then rows are axis 1
  const last = axes.length === 4 && changes(axes[1]) && !changes(axes[3]);
  const { x, view } = (last ? asChannelsLastImage : asImage)(context, value);
  const shape = context.shapeOf(x);
  const spatial = last ? axes.slice(1, 3) : axes.slice(2);
  const others = last ? [axes[0], axes[3]] : axes.slice(0, 2);
  if (others.some(changes)) context.badForm('it resizes the batch or the channels');
  const mode = context.string('mode', 'nearest');
  if (spatial.every(({ from, to }) => from === to)) return [context.input(0)];
  if (mode !== 'nearest') {
    const [down, across] = [...(spatial.length === 1 ? [undefined] : []), ...spatial].map((axis, n) =>
      axis === undefined ? [{ places: [0], weights: [1] }] : tapsOf(context, axis, shape[n + 1]!, mode),
    );
    const input = context.input(0);
    const isCode = input.kind === 'codes' && input.dynamic !== true;
    const origin = isCode ? undefined : seenOrigin(view, context.output);
    const weighed = viewed(weighedTaps(context, x, down!, across!, origin), view);
    return [isCode ? cutCodes(context, input, weighed) : rewrap(weighed)];
  }
  const [rows, columns] = [...(spatial.length === 1 ? [undefined] : []), ...spatial].map((axis, n) =>
    axis === undefined ? [0] : placesOf(context, axis, shape[n + 1]!),
  );
  const origin = seenOrigin(view, context.output);
  const result = context.emit({ kind: 'resample', inputs: [x], attrs: { rows: rows!, columns: columns! }, origin });
  return [rewrap(viewed(onGridOf(x, result), view))];
}

/** So much of a code is added before fractions are left out: a sum that is a whole number isn't always one in floating point. */
const nudge = 2 ** -11;

/** Sums of codes become codes again by leaving out their fractions: towards the code 0. */
function cutCodes(context: NodeContext, input: CodesValue, sum: RealValue): CodesValue {
  const { code } = input;
  const moved = (by: number): RealValue => scaledBy(context, sum, 1, by * code.scale, undefined);
  const cut: CodesValue = { ...input, source: moved(nudge), tensor: context.output };
  if (code.min >= 0) return { ...cut, code: { ...code, rounding: 'floor' } };
  const quantised = (source: RealValue, part: Partial<QuantCode>): RealValue =>
    context.graph.quantise({ source, code: { ...code, ...part } }, undefined, context.place);
  const above = quantised(cut.source, { min: 0, rounding: 'floor' });
  const below = quantised(moved(-nudge), { max: 0, rounding: 'ceil' });
  const shifted = scaledBy(context, below, 1, code.zero * code.scale, undefined);
  const both = inAxesOf(sum, context.emit({ kind: 'add', inputs: [above, shifted] }));
  return { ...cut, source: { ...both, grid: code } };
}

/** One tap along an axis: which place each output reads, and its weight there. */
interface Tap {
  readonly places: readonly number[];
  readonly weights: readonly number[];
}

/** Linear interpolation reads two places an output, cubic four; beyond the border the last one counts. */
function tapsOf(context: NodeContext, { to, scale, from }: Axis, length: number, mode: string): readonly Tap[] {
  if (mode !== 'linear' && mode !== 'cubic') context.badForm(`its mode is "${mode}"`);
  if (context.int('exclude_outside', 0) !== 0) context.badForm('exclude_outside is set');
  if (from === to) return [{ places: Array.from({ length: to }, (_, i) => i), weights: Array<number>(to).fill(1) }];
  const real = coordinatesOf(context, { from, to, scale }, length);
  const a = context.float('cubic_coeff_a', -0.75);
  const weight = mode === 'linear' ? (t: number) => Math.max(0, 1 - Math.abs(t)) : (t: number) => cubic(t, a);
  const reach = mode === 'linear' ? [0, 1] : [-1, 0, 1, 2];
  const at = Array.from({ length: to }, (_, o) => {
    const x = real(o);
    // onnxruntime holds the coordinate of a linear one within the image
    return mode === 'linear' ? Math.min(Math.max(x, 0), length - 1) : x;
  });
  return reach.map((step) => ({
    places: at.map((x) => Math.min(Math.max(Math.floor(x) + step, 0), length - 1)),
    weights: at.map((x) => weight(x - Math.floor(x) - step)),
  }));
}

/** Keys' kernel. */
function cubic(t: number, a: number): number {
  const s = Math.abs(t);
  if (s <= 1) return ((a + 2) * s - (a + 3)) * s * s + 1;
  return s < 2 ? ((a * s - 5 * a) * s + 8 * a) * s - 4 * a : 0;
}

/** Σ over pairs of taps of their weights times the rows and columns that they read: a fixed linear map. */
function weighedTaps(
  context: NodeContext,
  x: RealValue,
  down: readonly Tap[],
  across: readonly Tap[],
  origin: string | undefined,
): RealValue {
  const [channels] = context.shapeOf(x) as [number];
  const pairs = down.flatMap((row) => across.map((column) => ({ row, column })));
  const [{ row: first, column: other }] = pairs as [(typeof pairs)[0]];
  const shape = [channels, first.places.length, other.places.length];
  if (elementCount(shape) > mostComputed) context.badForm('its result is too large for weights of its own');
  const plain: RealValue = { kind: 'real', op: x.op };
  const parts = pairs.map(({ row, column }, n): RealValue => {
    const attrs = { rows: [...row.places], columns: [...column.places] };
    const moved = context.emit({ kind: 'resample', inputs: [plain], attrs, suffix: `tap${n + 1}` });
    const map = row.weights.flatMap((a) => column.weights.map((b) => a * b));
    const data = Float64Array.from({ length: elementCount(shape) }, (_, i) => map[i % map.length]!);
    const params = { scale: { tensor: { dtype: 'f64' as const, shape, data } } };
    const named = pairs.length === 1 ? { origin } : { suffix: `weighed${n + 1}` };
    return context.emit({ kind: 'affine', inputs: [moved], params, ...named });
  });
  return parts.reduce((sum, part, n) => {
    const named = n === parts.length - 1 ? { origin } : { suffix: `sum${n}` };
    return context.emit({ kind: 'add', inputs: [sum, part], ...named });
  });
}

/** Sizes before and behind, and the scale that ONNX computes places with. */
function axesOf(context: NodeContext, shape: readonly number[]): readonly Axis[] {
  const policy = context.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') context.badForm(`its keep_aspect_ratio_policy is "${policy}"`);
  if (context.int('antialias', 0) !== 0) context.badForm('antialias is set');
  const chosen = context.ints('axes') ?? shape.map((_, axis) => axis);
  const at = (axis: number): number => chosen.findIndex((one) => (one < 0 ? one + shape.length : one) === axis);
  const short = readsScalesAlone(context);
  const sizes = short ? undefined : context.integers(3, 'the sizes');
  const scales = floatsOf(context, short ? 1 : 2);
  const given = sizes !== undefined && sizes.length > 0 ? sizes : scales;
  if (given === undefined || given.length !== chosen.length)
    context.badForm('it has neither scales nor sizes for its axes');
  return shape.map((from, axis): Axis => {
    const n = at(axis);
    const own = n < 0 ? undefined : given[n]!;
    // sizes fix the batch
    if (axis === 0) {
      if (given === sizes && own === 1) context.graph.fixedBatch ??= 1;
      return { from: 1, to: given === scales ? (own ?? 1) : 1, scale: 1 };
    }
    if (own === undefined) return { from, to: from, scale: 1 };
    const to = given === sizes ? own : Math.floor(from * own);
    if (!Number.isInteger(to) || to < 1 || to > 1e6) context.badForm(`axis ${axis} of ${from} becomes ${to}`);
    return { from, to, scale: given === sizes ? to / from : own };
  });
}

/** Opset 9's Upsample and opset 10's Resize have neither sizes nor a choice of coordinates. */
function readsScalesAlone(context: NodeContext): boolean {
  return context.node.opType === 'Upsample' || context.graph.opset < 11;
}

/** Scales as an input, or the attribute of old files. */
function floatsOf(context: NodeContext, index: number): readonly number[] | undefined {
  const attribute = context.node.attributes.get('scales')?.floats;
  const constant = attribute === undefined ? context.optionalConstant(index, 'the scales') : undefined;
  return attribute ?? (constant === undefined ? undefined : Array.from(constant.data()));
}

/** Where in the input each place of the output lies, as ONNX defines Resize. */
function coordinatesOf(context: NodeContext, { to, scale }: Axis, length: number): (o: number) => number {
  const old = readsScalesAlone(context);
  const transform = old ? 'asymmetric' : context.string('coordinate_transformation_mode', 'half_pixel');
  switch (transform) {
    case 'asymmetric':
      return (o) => o / scale;
    case 'half_pixel':
      return (o) => (o + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return (o) => (to > 1 ? (o + 0.5) / scale - 0.5 : 0);
    case 'tf_half_pixel_for_nn':
      return (o) => (o + 0.5) / scale;
    case 'half_pixel_symmetric':
      return (o) => (length / 2) * (1 - to / (scale * length)) + (o + 0.5) / scale - 0.5;
    case 'align_corners':
      return (o) => (to === 1 ? 0 : (o * (length - 1)) / (to - 1));
    default:
      return context.badForm(`its coordinate_transformation_mode is "${transform}"`);
  }
}

/** The nearest place in the input to each place of the output; in float32, as runtimes compute it. */
function placesOf(context: NodeContext, axis: Axis, length: number): readonly number[] {
  const old = readsScalesAlone(context);
  const rounding = old ? 'floor' : context.string('nearest_mode', 'round_prefer_floor');
  const real = coordinatesOf(context, axis, length);
  const nearest = (x: number): number => {
    switch (rounding) {
      case 'round_prefer_floor':
        return Math.ceil(x - 0.5);
      case 'round_prefer_ceil':
        return Math.floor(x + 0.5);
      case 'floor':
        return Math.floor(x);
      case 'ceil':
        return Math.ceil(x);
      default:
        return context.badForm(`its nearest_mode is "${rounding}"`);
    }
  };
  return Array.from({ length: axis.to }, (_, o) => Math.min(Math.max(nearest(Math.fround(real(o))), 0), length - 1));
}
