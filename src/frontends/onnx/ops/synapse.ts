import { elementCount } from '../../../base/dtype.js';
import type { Param } from '../../../network/types.js';
import { type Constant, dequantised, lazyConstant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import type { Emission } from '../graph-context.js';
import { isFloatType } from '../element-type.js';
import { type Image, asChannelsLastImage, type asImage, asSpace, seenOrigin, viewed } from '../image.js';
import { wholeValue } from '../rounded.js';
import {
  type Fused,
  type PendingValue,
  type RealValue,
  type Value,
  batchPlace,
  withBatchAt,
  withBatchFirst,
} from '../values.js';
import { inShape } from './layout.js';
import { matrixProduct } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { permuted } from './over-axes.js';
import { readWindow, windowAttrs } from './window.js';
import { affine } from './with-constant.js';

/** The ops with weights: Conv, Gemm, MatMul, BatchNormalization. */
export const synapseOps: OnnxOpTable = {
  Conv: {
    inputs: [2, 3],
    run: (c) => {
      const weight = c.constant(1, 'the weight');
      const image = asSpace(c, c.realInAnyLayout(0));
      return [product(c, convolution(c, image, weight, c.optionalConstant(2, 'the bias')), weight)];
    },
  },
  Gemm: { inputs: [2, 3], run: (c) => [gemm(c)] },
  MatMul: {
    inputs: [2, 2],
    run: (c) => {
      if (c.input(0).kind !== 'constant' && c.input(1).kind !== 'constant') return [matrixProduct(c)];
      if (c.input(1).kind !== 'constant') return [fromLeft(c)];
      const weight = c.constant(1, 'the second operand');
      return [product(c, matmul(c, c.realInAnyLayout(0), weight), weight)];
    },
  },
  BatchNormalization: { inputs: [5, 5], run: batchNormalization },
};

/** A constant matrix [M, K] times [N, …, K, F]: what the transposed matrix makes of the transposed activations, with the last two axes back. */
function fromLeft(context: NodeContext): RealValue {
  const given = context.constant(0, 'the first operand');
  const x = context.realInAnyLayout(1);
  const rank = context.onnxShape(x).length;
  const matrix = given.shape.slice(-2);
  const others = given.shape.slice(0, -2);
  if (batchPlace(x) > rank - 3 && batchPlace(x) >= 0) {
    context.badForm(
      `it multiplies the constant ${context.node.inputs[0]} by activations along the batch`,
      'the activations must be the first operand: transpose both',
    );
  }
  if (matrix.length < 2 || rank < 3 || given.shape.length > rank || others.some((n) => n !== 1))
    context.badForm(
      `it multiplies [${given.shape.join(', ')}] by activations of ${rank} axes`,
      'the constant must be one matrix',
    );
  const order = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  const weight = transposedConstant(reshapedConstant(given, matrix), [1, 0]);
  const made = matmul(context, permuted(context, x, order), weight).emit({});
  return permuted(context, made, order);
}

/** A linear op whose bias and output scale may still change. */
export interface LinearPlan {
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly hasBias: boolean;
  readonly emit: (fused: Fused) => RealValue;
}

/** [N,C,H,W] ∗ weight [O,C/g,kh,kw] (+ bias [O]); [N,C,L] ∗ weight [O,C/g,k] as images of height 1; [N,C,D,H,W] ∗ [O,C/g,kd,kh,kw]. */
export function convolution(
  context: NodeContext,
  { x, view }: Image,
  weight: Constant,
  bias: Constant | undefined,
): LinearPlan {
  const shape = context.shapeOf(x);
  const spatial = view?.length === 3 ? 1 : shape.length - 1;
  if (weight.shape.length !== spatial + 2) {
    context.badForm(
      `its weight has ${weight.shape.length} axes, its input ${spatial + 2}`,
      'supported are 2-D convolutions, [N, C, H, W] with a weight [O, C/groups, kh, kw], 1-D ones, [N, C, L] with [O, C/groups, k], and 3-D ones, [N, C, D, H, W] with [O, C/groups, kd, kh, kw]',
    );
  }
  const kernel = weight.shape.slice(2);
  const declared = context.ints('kernel_shape') ?? [];
  if (declared.length > 0 && declared.join() !== kernel.join()) {
    context.shapeMismatch(
      `kernel_shape is [${declared.join(', ')}], its weight "${weight.name}" is [${weight.shape.join(', ')}]`,
    );
  }
  const window = readWindow(context, shape, kernel);
  const groups = context.int('group', 1);
  const [outputs, perGroup] = weight.shape as [number, number];
  if (groups < 1 || perGroup * groups !== shape[0] || outputs % groups !== 0) {
    context.shapeMismatch(
      `weight "${weight.name}" [${weight.shape.join(', ')}] with ${groups} group(s) takes ${perGroup * groups} channels, ` +
        `its input "${context.node.inputs[0]}" is [${['N', ...shape].join(', ')}]`,
    );
  }
  const plan = linearPlan(
    context,
    {
      kind: spatial === 3 ? 'conv3d' : 'conv',
      inputs: [x],
      attrs: { ...windowAttrs(window), dilation: [...window.dilation], groups },
    },
    spatial === 1 ? reshapedConstant(weight, [outputs, perGroup, 1, kernel[0]!]) : weight,
    bias,
  );
  if (view === undefined) return plan;
  const shapeBehind = spatial === 1 ? [outputs, 1] : plan.shape;
  return { ...plan, shape: shapeBehind, emit: (fused) => viewed(plan.emit(fused), view) };
}

/** x·W of vectors; of [N, …, F] at each place, which is a 1×1 convolution with the channels last. */
export function matmul(context: NodeContext, given: RealValue, weight: Constant, bias?: Constant): LinearPlan {
  const place = batchPlace(given);
  const x = withBatchFirst(given);
  const from = context.onnxShape(x);
  if (place !== 0) {
    const plan = matmul(context, x, weight, bias);
    const last = context.graph.fixedBatch === 1;
    return {
      ...plan,
      emit: ({ origin, ...fused }) =>
        withBatchAt(plan.emit(last && origin !== undefined ? { ...fused, origin } : fused), from.length, place),
    };
  }
  if (from.length > 4) return overPlaces(context, x, weight, bias);
  if (from.length !== 3 && from.length !== 4) return vectorsTimes(context, context.inOwnLayout(x), weight, bias);
  const [features, outputs] = weight.shape as [number, number];
  if (weight.shape.length !== 2 || features !== from.at(-1)) {
    const text = `[${['N', ...from.slice(1)].join(', ')}] by [${weight.shape.join(', ')}]`;
    context.badForm(`it multiplies ${text}`, 'the second operand must be a constant [F, O]');
  }
  const { x: image, view } = asChannelsLastImage(context, x);
  const attrs = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  const kernels = reshapedConstant(transposedConstant(weight, [1, 0]), [outputs, features, 1, 1]);
  const plan = linearPlan(context, { kind: 'conv', inputs: [image], attrs }, kernels, bias);
  // a bias of one number an output is [O], whatever the places are
  return {
    ...plan,
    shape: [outputs],
    emit: ({ origin, ...fused }) => {
      const seen = seenOrigin(view, origin);
      return viewed(plan.emit(seen === undefined ? fused : { ...fused, origin: seen }), view);
    },
  };
}

/** [N, …, F] of more axes: the places one behind the other. */
function overPlaces(context: NodeContext, x: RealValue, weight: Constant, bias: Constant | undefined): LinearPlan {
  const shape = context.onnxShape(x);
  const places = [NaN, elementCount(shape.slice(1, -1)), shape.at(-1)!];
  const plan = matmul(context, inShape(context, x, places, undefined), weight, bias);
  return {
    ...plan,
    emit: ({ origin, ...fused }) => inShape(context, plan.emit(fused), [...shape.slice(0, -1), plan.outputs], origin),
  };
}

/** x [N,F] · weight [F,O]: kept as linear with weight [O,F]. */
function vectorsTimes(context: NodeContext, x: RealValue, weight: Constant, bias: Constant | undefined): LinearPlan {
  const shape = context.shapeOf(x);
  if (shape.length !== 1 || weight.shape.length !== 2) {
    context.badForm(
      `it multiplies [${['N', ...shape].join(', ')}] by [${weight.shape.join(', ')}]`,
      'only [N, F] by a constant [F, O] is supported',
    );
  }
  return linear(context, x, transposedConstant(weight, [1, 0]), bias);
}

/** x [N,F] · weightᵀ [O,F] (+ bias [O]). */
export function linear(context: NodeContext, x: RealValue, weight: Constant, bias: Constant | undefined): LinearPlan {
  const shape = context.shapeOf(x);
  if (shape.length !== 1 || weight.shape.length !== 2 || weight.shape[1] !== shape[0]) {
    context.shapeMismatch(
      `weight "${weight.name}" takes ${weight.shape[1] ?? 0} features to ${weight.shape[0] ?? 0}, ` +
        `its input "${context.node.inputs[0]}" is [${['N', ...shape].join(', ')}]`,
    );
  }
  return linearPlan(context, { kind: 'linear', inputs: [x] }, weight, bias);
}

/** [N, F], or the places [T, F] of one sample, by weightᵀ [O, F] (+ bias [O]). */
export function fullyConnected(
  context: NodeContext,
  x: RealValue,
  weight: Constant,
  bias: Constant | undefined,
): LinearPlan {
  if (batchPlace(x) !== 0) return matmul(context, x, transposedConstant(weight, [1, 0]), bias);
  return linear(context, context.inOwnLayout(x), weight, bias);
}

export function linearPlan(
  context: NodeContext,
  op: Emission,
  weight: Constant,
  bias: Constant | undefined,
): LinearPlan {
  const outputs = weight.shape[0]!;
  return {
    shape: op.kind === 'linear' ? [outputs] : [outputs, ...weight.shape.slice(2).map(() => 1)],
    outputs,
    hasBias: bias !== undefined,
    emit: (fused) => {
      const shift = bias ?? fused.bias;
      const params: Record<string, Param> = { weight: context.param(scaled(context, weight, fused.factor)) };
      if (shift !== undefined)
        params['bias'] = context.param(biasVector(context, scaled(context, shift, fused.factor), outputs));
      return context.emit({ ...op, params, origin: fused.origin });
    },
  };
}

/** What a linear node writes; of integers in integer types, which ONNX's Conv doesn't have but MATCH writes, integers. */
export function product(context: NodeContext, plan: LinearPlan, weight: Constant): Value {
  const whole = weight.quantised === undefined && !isFloatType(weight.type);
  return whole ? wholeValue(context, plan.emit({ origin: context.output })) : fusible(context, plan);
}

/** The value a linear node writes: pending where one Add of a constant reads it, else the op itself. */
export function fusible(context: NodeContext, plan: LinearPlan): Value {
  const readers = context.graph.readers.get(context.output) ?? [];
  const [reader] = readers;
  const waits = !plan.hasBias && readers.length === 1 && reader !== 'output' && reader?.opType === 'Add';
  return waits ? pending(plan, false) : plan.emit({ origin: context.output });
}

export function pending(plan: LinearPlan, integer: boolean): PendingValue {
  return { kind: 'pending', shape: plan.shape, integer, finish: plan.emit };
}

/** A weight or bias times one factor or one per output (axis 0); integer codes stay, their scales change. */
export function scaled(context: NodeContext, constant: Constant, factor: readonly number[] | undefined): Constant {
  if (factor === undefined || factor.every((f) => f === 1)) return constant;
  const outputs = constant.shape[0] ?? 1;
  const quantised = constant.quantised;
  const positive = factor.every((f) => f > 0);
  if (quantised !== undefined && positive && (quantised.quant.axis === 0 || quantised.quant.scale.length === 1)) {
    const { scale, zero } = quantised.quant;
    const count = Math.max(scale.length, factor.length);
    const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i]!;
    const channels = Array.from({ length: count }, (_, i) => i);
    const quant = {
      axis: 0,
      scale: channels.map((i) => at(scale, i) * at(factor, i)),
      zero: channels.map((i) => at(zero, i)),
    };
    return dequantised(quantised.codes, quant, constant.name);
  }
  if (factor.length !== 1 && factor.length !== outputs)
    context.shapeMismatch(`${factor.length} factors for ${outputs} outputs`);
  const inner = Math.max(1, elementCount(constant.shape.slice(1)));
  return lazyConstant(constant.name, 'double', constant.shape, () =>
    Float64Array.from(constant.data(), (x, i) => x * factor[factor.length === 1 ? 0 : Math.floor(i / inner)]!),
  );
}

/** A bias as [outputs] reals: dequantised exactly, a single value spread. */
function biasVector(context: NodeContext, bias: Constant, outputs: number): Constant {
  const count = elementCount(bias.shape);
  const isVector =
    count === outputs &&
    bias.shape.every((n, i) => n === 1 || (n === outputs && (i === bias.shape.length - 1 || bias.shape.length > 2)));
  if (!isVector && count !== 1) {
    context.shapeMismatch(`bias "${bias.name}" is [${bias.shape.join(', ')}], there are ${outputs} outputs`);
  }
  // codes give way to the reals they stand for: a bias is added, never multiplied
  const plain = lazyConstant(bias.name, bias.quantised === undefined ? bias.type : 'double', [outputs], bias.data);
  if (count === outputs) return plain;
  return lazyConstant(bias.name, 'double', [outputs], () => new Float64Array(outputs).fill(bias.data()[0]!));
}

function gemm(context: NodeContext): Value {
  const x = context.realInAnyLayout(0);
  const bias = context.optionalConstant(2, 'the bias');
  // the places of one sample may have a bias each
  if (bias !== undefined && batchPlace(x) < 0 && (bias.shape.at(-2) ?? 1) > 1) {
    const { plan } = gemmPlan(context, false);
    const shift = scaled(context, bias, [context.float('beta', 1)]);
    return affine(context, 'Add', plan.emit({}), shift, false, context.output);
  }
  const { plan, weight } = gemmPlan(context);
  return product(context, plan, weight);
}

/** Gemm's plan and weight. */
export function gemmPlan(
  context: NodeContext,
  withBias = true,
): { readonly plan: LinearPlan; readonly weight: Constant } {
  if (context.int('transA', 0) !== 0) context.badForm('transA is set', 'the first operand must be [N, F]');
  const transB = context.int('transB', 0) !== 0;
  const weight = context.constant(1, 'the weight');
  if (weight.shape.length !== 2)
    context.shapeMismatch(`weight "${weight.name}" is [${weight.shape.join(', ')}], not a matrix`);
  const byOutput = transB ? weight : transposedConstant(weight, [1, 0]);
  const bias = withBias ? context.optionalConstant(2, 'the bias') : undefined;
  const weights = scaled(context, byOutput, [context.float('alpha', 1)]);
  const shift = bias === undefined ? undefined : scaled(context, bias, [context.float('beta', 1)]);
  return { plan: fullyConnected(context, context.realInAnyLayout(0), weights, shift), weight };
}

/** Channel by channel; `toImage` says how the axes of an image lie where the channels aren't the second. */
export function batchNormalization(context: NodeContext, toImage?: typeof asImage): readonly Value[] {
  if (context.int('training_mode', 0) !== 0)
    context.badForm('it is in training mode', 'export the network for inference (model.eval())');
  if (context.int('spatial', 1) === 0) context.badForm('spatial is 0');
  const given = context.realInAnyLayout(0);
  const image = toImage?.(context, given);
  const x = image?.x ?? (given.perm?.[1] === 1 ? given : context.inOwnLayout(given));
  const [channels] = context.shapeOf(x);
  const params: Record<string, Param> = {};
  for (const [i, role] of ['gamma', 'beta', 'mean', 'variance'].entries()) {
    const constant = context.constant(i + 1, role);
    if (elementCount(constant.shape) !== channels) {
      context.shapeMismatch(
        `${role} "${constant.name}" is [${constant.shape.join(', ')}], its input has ${channels} channels`,
      );
    }
    params[role] = context.param(reshapedConstant(constant, [channels!]));
  }
  const attrs = { epsilon: context.float('epsilon', 1e-5) };
  const origin = seenOrigin(image?.view, context.output);
  return [viewed(context.emit({ kind: 'batchnorm', inputs: [x], attrs, params, origin }), image?.view ?? x.perm)];
}
