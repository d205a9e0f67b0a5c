import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import { type Constant, lazyConstant, reshapedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { asImage, seenOrigin, viewed } from '../image.js';
import { mostComputed } from '../tensor-data.js';
import { type RealValue, inAxesOf } from '../values.js';
import { addition, multiplication } from './arithmetic.js';
import { affine } from './with-constant.js';
import { axisOf, onTrailingAxes } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { applied, negative } from './function.js';
import { along, inShape } from './layout.js';

/** Normalisations by the statistics of each input; all of them are layer normalisations of what is arranged for it. */
export const normOps: OnnxOpTable = {
  LayerNormalization: { inputs: [2, 3], run: (c) => [alone(c, layerNorm)] },
  RMSNormalization: { inputs: [2, 2], run: (c) => [alone(c, rmsNorm)] },
  // onnxruntime's name of it, which stands in ONNX's own domain
  SimplifiedLayerNormalization: { inputs: [2, 2], run: (c) => [alone(c, rmsNorm)] },
  InstanceNormalization: { inputs: [3, 3], run: (c) => [instanceNormalization(c)] },
  GroupNormalization: { inputs: [3, 3], run: (c) => [groupNormalization(c)] },
  LRN: { inputs: [1, 1], run: (c) => [localResponse(c)] },
};

/** onnxruntime's own: of a sum of two, perhaps with a bias. */
export const microsoftNormOps: OnnxOpTable = {
  SkipLayerNormalization: { inputs: [3, 5], run: (c) => ofSum(c, layerNorm, 4) },
  SkipSimplifiedLayerNormalization: { inputs: [3, 4], run: (c) => ofSum(c, rmsNorm, 3) },
};

/** The numbers of a node's inputs that hold the scale and the bias. */
interface Roles {
  readonly scale: number;
  readonly bias?: number;
}

type Norm = (context: NodeContext, x: RealValue, roles: Roles, given: number, origin: string | undefined) => RealValue;

function alone(context: NodeContext, norm: Norm): RealValue {
  if (context.isRead(1) || context.isRead(2)) context.badForm('its outputs Mean or InvStdDev are used');
  return norm(context, context.realInAnyLayout(0), { scale: 1, bias: 2 }, context.int('axis', -1), context.output);
}

/** What is normalised is the second output that may be read: the sum that goes on past this layer. */
function ofSum(context: NodeContext, norm: Norm, biasIndex: number): readonly RealValue[] {
  if (context.isRead(1) || context.isRead(2)) context.badForm('its outputs mean or inv_std_var are used');
  const bias = context.optionalConstant(biasIndex, 'the bias');
  const seen = context.isRead(3) ? context.node.outputs[3] : undefined;
  const [left, right] = [context.realInAnyLayout(0), context.realInAnyLayout(1)];
  const sum = addition(context, left, right, bias === undefined ? seen : undefined, 'sum');
  const whole = bias === undefined ? sum : affine(context, 'Add', sum, bias, false, seen, 'biased');
  const roles = norm === layerNorm ? { scale: 2, bias: 3 } : { scale: 2 };
  const made = norm(context, whole, roles, -1, context.output);
  return seen === undefined ? [made] : [made, made, made, whole];
}

/** (x − mean)/√(variance + epsilon)·scale + bias over the axes from one on. */
function layerNorm(
  context: NodeContext,
  x: RealValue,
  { scale, bias }: Roles,
  given: number,
  origin: string | undefined,
): RealValue {
  return onAxesFrom(context, x, given, origin, (flat, axis, size, named) => {
    const beta = bias === undefined ? undefined : perPlace(context, bias, 'the bias', size);
    const gamma = perPlace(context, scale, 'the scale', size);
    const params = {
      ...(gamma === undefined ? {} : { gamma: context.param(gamma) }),
      ...(beta === undefined ? {} : { beta: context.param(beta) }),
    };
    return emitted(context, flat, axis, params, named);
  });
}

/** x/√(mean of x² + epsilon)·scale: half of the layer normalisation of x and −x together, whose mean is 0. */
function rmsNorm(
  context: NodeContext,
  x: RealValue,
  { scale }: Roles,
  given: number,
  origin: string | undefined,
): RealValue {
  return onAxesFrom(context, x, given, origin, (flat, axis, size, named) => {
    const gamma = perPlace(context, scale, 'the scale', size);
    const onnxAxis = context.onnxShape(flat).length - 1;
    const both = along(context, [flat, negative(context, flat, 'negative')], onnxAxis, undefined);
    const params = gamma === undefined ? {} : { gamma: context.param(twice(gamma)) };
    const normal = emitted(context, both, axis, params, { suffix: 'norm' });
    const half = { axis, start: 0, end: size, step: 1 };
    return context.emit({ kind: 'slice', inputs: [normal], attrs: half, ...named });
  });
}

/** [N, C, …]: each channel of a sample by its own statistics. */
function instanceNormalization(context: NodeContext): RealValue {
  const x = context.realInAnyLayout(0);
  const channels = channelsOf(context, x);
  return byGroups(context, x, channels, channels);
}

/** [N, C, …]: groups of channels by their own statistics; before opset 21 scale and bias are those of the groups. */
function groupNormalization(context: NodeContext): RealValue {
  const x = context.realInAnyLayout(0);
  const channels = channelsOf(context, x);
  const groups = context.int('num_groups', 0);
  if (!(groups >= 1 && channels % groups === 0)) context.badAttribute('num_groups', groups);
  return byGroups(context, x, groups, context.graph.opset < 21 ? groups : channels);
}

function channelsOf(context: NodeContext, x: RealValue): number {
  const shape = context.onnxShape(x);
  const [batch, channels] = shape;
  if (shape.length < 3 || !Number.isNaN(batch))
    context.badForm(`it reads ${shape.length} axes`, 'it normalises [N, C, …]');
  return channels!;
}

function byGroups(context: NodeContext, x: RealValue, groups: number, scales: number): RealValue {
  const shape = context.onnxShape(x);
  const [, channels, ...places] = shape as [number, number, ...number[]];
  const rows = inShape(context, x, [NaN, groups, (channels / groups) * elementCount(places)], undefined);
  const own = context.inOwnLayout(rows);
  const normal = inShape(context, emitted(context, own, 1, {}, { suffix: 'norm' }), shape, undefined);
  /** One number a channel, [C, 1, …]. */
  const perChannel = (index: number, what: string): Constant => {
    const constant = context.constant(index, what);
    const count = elementCount(constant.shape);
    if (count !== scales) context.shapeMismatch(`"${constant.name}" has ${count} numbers for ${scales}`);
    return lazyConstant(constant.name, 'double', [channels, ...places.map(() => 1)], () => {
      const data = constant.data();
      return Float64Array.from({ length: channels }, (_, c) => data[Math.floor((c * scales) / channels)]!);
    });
  };
  const scaled = affine(context, 'Mul', normal, perChannel(1, 'the scale'), false, undefined, 'scaled');
  return affine(context, 'Add', scaled, perChannel(2, 'the bias'), false, context.output);
}

/** x/(bias + alpha/size·Σ x² of the channels around)^beta, written out: squares, weights of 1 over channels, a power, a product. */
function localResponse(context: NodeContext): RealValue {
  const [alpha, beta, bias] = [context.float('alpha', 1e-4), context.float('beta', 0.75), context.float('bias', 1)];
  const size = context.int('size', 0);
  if (!(size >= 1)) context.badAttribute('size', size);
  if (!(alpha >= 0)) context.badAttribute('alpha', alpha);
  if (!(bias > 0)) context.badAttribute('bias', bias);
  if (!Number.isFinite(beta)) context.badAttribute('beta', beta);
  const { x, view } = asImage(context, context.realInAnyLayout(0));
  const [channels] = context.shapeOf(x) as [number];
  if (channels ** 2 > mostComputed)
    fail('onnx/too-large', { what: 'sums over channels', shape: [channels, channels] }, context.place);
  const near = new Int8Array(channels ** 2);
  const [before, behind] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  for (let c = 0; c < channels; c++) {
    const end = Math.min(channels - 1, c + behind);
    for (let other = Math.max(0, c - before); other <= end; other++) near[c * channels + other] = 1;
  }
  const weight: Param = {
    tensor: { dtype: 'i8', shape: [channels, channels, 1, 1], data: near },
    quant: { scale: [alpha / size], zero: [0], axis: 0 },
  };
  const constant: Param = { tensor: { dtype: 'f64', shape: [channels], data: new Float64Array(channels).fill(bias) } };
  const squares = applied(context, 'pow', x, { alpha: 2 }, 'squares');
  const attrs = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  const params = { weight, bias: constant };
  const sums = context.emit({ kind: 'conv', inputs: [squares], attrs, params, suffix: 'sums' });
  const factors = applied(context, 'pow', sums, { alpha: -beta }, 'factors');
  return viewed(multiplication(context, x, factors, seenOrigin(view, context.output)), view);
}

/** Acts on the axes from one on as on one; the last of its ops stands for the file's tensor. */
function onAxesFrom(
  context: NodeContext,
  x: RealValue,
  given: number,
  origin: string | undefined,
  act: (flat: RealValue, axis: number, size: number, named: Named) => RealValue,
): RealValue {
  const axis = axisOf(context, x, given);
  const shape = context.onnxShape(x);
  const size = elementCount(shape.slice(axis.onnx));
  if (axis.onnx === shape.length - 1)
    return inAxesOf(x, act(x, axis.own, size, origin === undefined ? { suffix: 'norm' } : { origin }));
  return onTrailingAxes(context, x, axis.onnx, origin, (flat, last) => act(flat, last, size, { suffix: 'norm' }));
}

interface Named {
  readonly origin?: string | undefined;
  readonly suffix?: string;
}

function emitted(
  context: NodeContext,
  x: RealValue,
  axis: number,
  params: Readonly<Record<string, Param>>,
  named: Named,
): RealValue {
  const epsilon = context.float('epsilon', context.node.opType.startsWith('Skip') ? 1e-12 : 1e-5);
  if (!(epsilon >= 0)) context.badAttribute('epsilon', epsilon);
  return context.emit({ kind: 'layernorm', inputs: [x], attrs: { axis, epsilon }, params, ...named });
}

/** A constant with one number a place that is normalised. */
function perPlace(context: NodeContext, index: number, what: string, size: number): Constant | undefined {
  const constant = context.optionalConstant(index, what);
  if (constant === undefined) return undefined;
  const count = elementCount(constant.shape);
  if (count !== size) context.shapeMismatch(`"${constant.name}" has ${count} numbers for ${size} values`);
  return reshapedConstant(constant, [size]);
}

function twice(constant: Constant): Constant {
  const [size] = constant.shape as [number];
  return lazyConstant(constant.name, 'double', [2 * size], () =>
    Float64Array.from({ length: 2 * size }, (_, i) => constant.data()[i % size]!),
  );
}
