import type { NodeContext } from '../context.js';
import { asChannelsLastImage, asImage, seenOrigin, viewed } from '../image.js';
import type { Value } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** Resampling by the nearest neighbour: which rows and columns are taken, exactly. */
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
    context.badForm(`its mode is "${mode}"`, 'only the nearest neighbour is supported; export with mode="nearest"');
  }
  const [rows, columns] = [...(spatial.length === 1 ? [undefined] : []), ...spatial].map((axis, n) =>
    axis === undefined ? [0] : placesOf(context, axis, shape[n + 1]!),
  );
  const origin = seenOrigin(view, context.output);
  const result = context.emit({ kind: 'resample', inputs: [x], attrs: { rows: rows!, columns: columns! }, origin });
  return [rewrap(viewed(x.grid === undefined ? result : { ...result, grid: x.grid }, view))];
}

/** Sizes before and behind, and the scale that ONNX computes places with. */
function axesOf(context: NodeContext, shape: readonly number[]): readonly Axis[] {
  const policy = context.string('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch') context.badForm(`its keep_aspect_ratio_policy is "${policy}"`);
  if (context.int('antialias', 0) !== 0) context.badForm('antialias is set');
  const chosen = context.ints('axes') ?? shape.map((_, axis) => axis);
  const at = (axis: number): number => chosen.findIndex((one) => (one < 0 ? one + shape.length : one) === axis);
  // opset 9's Upsample and opset 10's Resize read scales alone
  const short = context.node.opType === 'Upsample' || context.graph.opset < 11;
  const sizes = short ? undefined : context.integers(3, 'the sizes');
  const scales = floatsOf(context, short ? 1 : 2);
  const given = sizes !== undefined && sizes.length > 0 ? sizes : scales;
  if (given === undefined || given.length !== chosen.length)
    context.badForm('it has neither scales nor sizes for its axes');
  return shape.map((from, axis): Axis => {
    const n = at(axis);
    const own = n < 0 ? undefined : given[n]!;
    // sizes may fix the batch; the network leaves it free
    if (axis === 0) return { from: 1, to: given === scales ? (own ?? 1) : 1, scale: 1 };
    if (own === undefined) return { from, to: from, scale: 1 };
    const to = given === sizes ? own : Math.floor(from * own);
    if (!Number.isInteger(to) || to < 1 || to > 1e6) context.badForm(`axis ${axis} of ${from} becomes ${to}`);
    return { from, to, scale: given === sizes ? to / from : own };
  });
}

/** Scales as an input, or the attribute of old files. */
function floatsOf(context: NodeContext, index: number): readonly number[] | undefined {
  const attribute = context.node.attributes.get('scales')?.floats;
  const constant = attribute === undefined ? context.optionalConstant(index, 'the scales') : undefined;
  return attribute ?? (constant === undefined ? undefined : Array.from(constant.data()));
}

/** The place in the input of each place of the output, as ONNX defines Resize; in float32, as runtimes compute it. */
function placesOf(context: NodeContext, { to, scale }: Axis, length: number): readonly number[] {
  const old = context.node.opType === 'Upsample' || context.graph.opset < 11;
  const transform = old ? 'asymmetric' : context.string('coordinate_transformation_mode', 'half_pixel');
  const rounding = old ? 'floor' : context.string('nearest_mode', 'round_prefer_floor');
  const real = (o: number): number => {
    switch (transform) {
      case 'asymmetric':
        return o / scale;
      case 'half_pixel':
        return (o + 0.5) / scale - 0.5;
      case 'pytorch_half_pixel':
        return to > 1 ? (o + 0.5) / scale - 0.5 : 0;
      case 'tf_half_pixel_for_nn':
        return (o + 0.5) / scale;
      case 'half_pixel_symmetric':
        return (length / 2) * (1 - to / (scale * length)) + (o + 0.5) / scale - 0.5;
      case 'align_corners':
        return to === 1 ? 0 : (o * (length - 1)) / (to - 1);
      default:
        return context.badForm(`its coordinate_transformation_mode is "${transform}"`);
    }
  };
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
  return Array.from({ length: to }, (_, o) => Math.min(Math.max(nearest(Math.fround(real(o))), 0), length - 1));
}
