import { roundCode } from '../code-rounding.js';
import { type Constant, elementReader, lazyConstant, smallConstant } from '../constant.js';
import { broadcastReader, quantisedConstant } from '../constant-quantiser.js';
import type { NodeContext } from '../context.js';
import { leastScale } from '../quantisation.js';
import type { Value } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { floatConstant, integerRange, scaleInput } from './qonnx/params.js';

/** The domain of the quantisers of Sony's Model Compression Toolkit (mct_quantizers). */
export const mctDomain = 'mct_quantizers';

/** Its quantisers of activations and weights: round(clip(x, least, most)/step)·step, halves to even. */
export const mctOps: OnnxOpTable = {
  ActivationPOTQuantizer: { inputs: [1, 1], run: symmetricActivation },
  ActivationSymmetricQuantizer: { inputs: [1, 1], run: symmetricActivation },
  ActivationUniformQuantizer: { inputs: [1, 1], run: uniformActivation },
  WeightsPOTQuantizer: { inputs: [2, 2], run: symmetricWeights },
  WeightsSymmetricQuantizer: { inputs: [2, 2], run: symmetricWeights },
  WeightsUniformQuantizer: { inputs: [3, 3], run: uniformWeights },
};

/** Codes from −2^(bits−1) or from 0 on, in steps of the threshold over how many of them lie above 0. */
function symmetricActivation(context: NodeContext): readonly Value[] {
  const bits = bitsOf(context);
  const signed = flag(context, 'signed');
  const threshold = context.float('threshold', NaN);
  const scale = threshold / 2 ** (signed ? bits - 1 : bits);
  if (!(scale >= leastScale) || !Number.isFinite(scale)) context.badAttribute('threshold', threshold);
  return activation(context, { scale, zero: 0, ...integerRange(bits, signed, false) });
}

/** 2^bits codes over a range that has 0 among them. */
function uniformActivation(context: NodeContext): readonly Value[] {
  const bits = bitsOf(context);
  const [least, most] = [context.float('min_range', NaN), context.float('max_range', NaN)];
  const grid = gridOf(least, most, bits);
  if (grid === undefined) context.badForm(`its range is from ${least} to ${most}`, 'the second must be the greater');
  const { step, codes } = grid;
  return activation(context, { scale: step, zero: codes, min: 0, max: 2 ** bits - 1 });
}

function activation(
  context: NodeContext,
  code: { readonly scale: number; readonly zero: number; readonly min: number; readonly max: number },
): readonly Value[] {
  const source = context.realInAnyLayout(0);
  return [context.graph.quantise({ source, code }, context.output, context.place)];
}

function symmetricWeights(context: NodeContext): readonly Value[] {
  const bits = bitsOf(context);
  const weight = context.constant(0, 'the weight');
  const threshold = byChannel(context, weight, scaleInput(context, 1, 'the threshold'));
  const scale = mapped(context, threshold, (value) => value / 2 ** (bits - 1));
  return [codesOf(context, weight, scale, bits)];
}

/** Signed codes of one bit more than the range has: 0 is code 0 in each channel, and halves go to the even of those. */
function uniformWeights(context: NodeContext): readonly Value[] {
  const bits = bitsOf(context);
  const weight = context.constant(0, 'the weight');
  const [least, most] = [1, 2].map((i) => byChannel(context, weight, floatConstant(context, i, 'the range'))) as [
    Constant,
    Constant,
  ];
  if (least.shape.join() !== most.shape.join()) context.shapeMismatch('the ranges are of different lengths');
  const [low, high] = [least.data(), most.data()];
  const grids = Array.from(low, (from: number, i) => {
    const grid = gridOf(from, high[i]!, bits);
    if (grid === undefined) context.badForm(`a range is from ${from} to ${high[i]}`, 'the second must be the greater');
    return grid;
  });
  const of = (value: (grid: Grid) => number): Constant => mapped(context, least, (_, i) => value(grids[i]!));
  const [from, to] = [of(({ step, codes }) => -codes * step), of(({ step, codes }) => (2 ** bits - 1 - codes) * step)];
  const held = lazyConstant(weight.name, 'float', weight.shape, () => {
    const [element, a, b] = [
      elementReader(weight),
      ...[from, to].map((c) => broadcastReader(context, c, weight.shape)),
    ];
    const count = weight.shape.reduce((n, size) => n * size, 1);
    return Float32Array.from({ length: count }, (_, i) => Math.max(a!(i), Math.min(b!(i), element!(i))));
  });
  return [
    codesOf(
      context,
      held,
      of(({ step }) => step),
      bits + 1,
    ),
  ];
}

function codesOf(context: NodeContext, weight: Constant, scale: Constant, bits: number): Constant {
  const [zero, width] = [0, bits].map((value) => smallConstant(context.output, 'float', [], [value])) as [
    Constant,
    Constant,
  ];
  const rangeOf = (n: number): { min: number; max: number } => integerRange(n, true, false);
  return quantisedConstant(context, weight, { scale, zero, bits: width, rangeOf, rounding: 'half_even' });
}

export interface Grid {
  readonly step: number;
  /** How many codes lie below 0. */
  readonly codes: number;
}

/** The steps of a range that is moved so that 0 is among them, and drawn out to 0 where it isn't in it. */
export function gridOf(least: number, most: number, bits: number): Grid | undefined {
  const [from, to] = [Math.min(least, 0), Math.max(most, 0)];
  const step = Math.fround((to - from) / (2 ** bits - 1));
  if (!(least < most) || !(step >= leastScale) || !Number.isFinite(step)) return undefined;
  return { step, codes: -roundCode('half_even', from / step) };
}

/** One number for all of a weight, or one for each index of an axis of its. */
function byChannel(context: NodeContext, weight: Constant, given: Constant): Constant {
  const [count, axis] = [given.data().length, context.int('channel_axis', 0)];
  const rank = weight.shape.length;
  if (!flag(context, 'per_channel')) {
    if (count !== 1) context.shapeMismatch(`there are ${count} of "${given.name}" for all of the weight`);
    return { ...given, shape: [] };
  }
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) context.badAttribute('channel_axis', axis);
  const at = axis < 0 ? axis + rank : axis;
  if (count !== weight.shape[at])
    context.shapeMismatch(`there are ${count} of "${given.name}" for ${weight.shape[at]} channels`);
  return { ...given, shape: weight.shape.map((_, i) => (i === at ? count : 1)) };
}

function mapped(context: NodeContext, given: Constant, value: (given: number, i: number) => number): Constant {
  return smallConstant(context.output, 'float', given.shape, Array.from(given.data(), value));
}

function bitsOf(context: NodeContext): number {
  const bits = context.int('num_bits', NaN);
  if (!(bits >= 1 && bits <= 24)) context.badAttribute('num_bits', bits);
  return bits;
}

function flag(context: NodeContext, name: string): boolean {
  const value = context.int(name, NaN);
  if (value !== 0 && value !== 1) context.badAttribute(name, value);
  return value === 1;
}
