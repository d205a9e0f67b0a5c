import { fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import { type Constant, dequantised, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { type QuantParams, dequantiseCodes, dequantiseConstant, quantParams, quantiseReal } from '../quantisation.js';
import { type Image, asChannelsLastImage, asSpace } from '../image.js';
import type { CodesValue, RealValue, Value } from '../values.js';
import { addition, multiplication } from './arithmetic.js';
import { affine } from './with-constant.js';
import { productOf } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { applied } from './function.js';
import { quantiseOps } from './quantise.js';
import { averagePool, maxPool, meanOfAll } from './pool.js';
import { concatenation } from './shape.js';
import { type LinearPlan, convolution, fullyConnected, matmul, pending, scaled } from './synapse.js';

/**
 * Operators on integer codes, written as the network they stand for: dequantise, the float
 * operator, quantise. Both forms of one network thus import alike.
 */
export const qlinearOps: OnnxOpTable = {
  QLinearConv: { inputs: [8, 9], run: qlinearConv },
  QLinearMatMul: { inputs: [8, 8], run: qlinearMatMul },
  ConvInteger: { inputs: [2, 4], run: convInteger },
  MatMulInteger: { inputs: [2, 4], run: matMulInteger },
};

/** onnxruntime's operators, domain com.microsoft. */
export const microsoftOps: OnnxOpTable = {
  QuantizeLinear: quantiseOps['QuantizeLinear']!,
  DequantizeLinear: quantiseOps['DequantizeLinear']!,
  QLinearConv: { inputs: [8, 9], run: qlinearConv },
  NhwcMaxPool: { inputs: [1, 1], run: (c) => maxPool(c, asChannelsLastImage) },
  QGemm: { inputs: [6, 9], run: qgemm },
  QLinearAdd: { inputs: [7, 8], run: (c) => qlinearBinary(c, 'Add') },
  QLinearMul: { inputs: [7, 8], run: (c) => qlinearBinary(c, 'Mul') },
  QLinearLeakyRelu: {
    inputs: [4, 5],
    run: (c) => onCodes(c, (x) => applied(c, 'leaky_relu', x, { alpha: c.float('alpha', 0.01) }, 'function')),
  },
  QLinearAveragePool: { inputs: [4, 5], run: qlinearAveragePool },
  QLinearGlobalAveragePool: { inputs: [4, 5], run: qlinearGlobalAveragePool },
  QLinearConcat: { inputs: [5, Infinity], run: qlinearConcat },
};

function dequantisedInAnyLayout(context: NodeContext, index: number, scaleIndex = index + 1): RealValue {
  const value = context.input(index);
  const name = context.node.inputs[index] ?? '';
  if (value.kind !== 'codes') {
    fail('onnx/data-type', { what: `input "${name}"`, type: 'float' }, context.place, {
      help: `${context.node.opType} reads codes; a QuantizeLinear is missing before it`,
    });
  }
  return dequantiseCodes(context, value, quantParams(context, scaleIndex, scaleIndex + 1), name);
}

/** Input 0 as an image; `channels_last` says that its axes are N, H, W, C. */
function imageInput(context: NodeContext): Image {
  const toImage = context.int('channels_last', 0) === 0 ? asSpace : asChannelsLastImage;
  return toImage(context, dequantisedInAnyLayout(context, 0));
}

/** Constant weight codes with the scale and zero point behind them; `axis` is that of the outputs. */
function weightInput(context: NodeContext, index: number, axis: number): Constant {
  const codes = context.constant(index, 'the weight');
  return dequantiseConstant(context, codes, quantParams(context, index + 1, index + 2), axis);
}

/** An int32 bias in units of xs·ws. */
function biasInput(context: NodeContext, index: number, units: readonly number[]): Constant | undefined {
  const bias = context.optionalConstant(index, 'the bias');
  if (bias === undefined) return undefined;
  if (bias.type !== 'int32') {
    fail('onnx/data-type', { what: `bias "${bias.name}"`, type: bias.type }, context.place, {
      help: 'it must be int32, in units of the input scale times the weight scale',
    });
  }
  const vector = reshapedConstant(bias, [elementCount(bias.shape)]);
  if (units.length !== 1 && units.length !== vector.shape[0]) {
    context.shapeMismatch(`bias "${bias.name}" has ${vector.shape[0]} entries, the weight ${units.length} scales`);
  }
  return dequantised(vector, { scale: units, zero: units.map(() => 0), axis: 0 }, bias.name);
}

function biasUnits(x: QuantParams, weight: Constant): readonly number[] {
  return weight.quantised!.quant.scale.map((scale) => scale * x.scale[0]!);
}

function qlinearConv(context: NodeContext): readonly Value[] {
  const weight = weightInput(context, 3, 0);
  const bias = biasInput(context, 8, biasUnits(quantParams(context, 1, 2), weight));
  const plan = convolution(context, imageInput(context), weight, bias);
  return [quantiseReal(context, plan.emit({}), 6, 7)];
}

function qlinearMatMul(context: NodeContext): readonly Value[] {
  const x = dequantisedInAnyLayout(context, 0);
  if (context.input(3).kind === 'codes') {
    const product = productOf(context, x, dequantisedInAnyLayout(context, 3), undefined);
    return [quantiseReal(context, product, 6, 7)];
  }
  const plan = matmul(context, x, weightInput(context, 3, 1));
  return [quantiseReal(context, plan.emit({}), 6, 7)];
}

/** y = alpha·(A·B) + C with int32 C in units of alpha·as·bs; floats where no output scale is given. */
function qgemm(context: NodeContext): readonly Value[] {
  if (context.int('transA', 0) !== 0) context.badForm('transA is set');
  const transB = context.int('transB', 0) !== 0;
  const alpha = context.float('alpha', 1);
  const given = weightInput(context, 3, transB ? 0 : 1);
  const weight = scaled(context, transB ? given : transposedConstant(given, [1, 0]), [alpha]);
  const units = biasUnits(quantParams(context, 1, 2), given).map((unit) => unit * alpha);
  const bias = biasInput(context, 6, units);
  const plan = fullyConnected(context, dequantisedInAnyLayout(context, 0), weight, bias);
  if (context.optional(7) === undefined) return [plan.emit({ origin: context.output })];
  return [quantiseReal(context, plan.emit({}), 7, 8)];
}

/** a ∘ b of codes, one of them perhaps constant; then quantised. */
function qlinearBinary(context: NodeContext, operator: 'Add' | 'Mul'): readonly Value[] {
  const constant = ([0, 3] as const).find((i) => context.input(i).kind === 'constant');
  if (constant !== undefined) {
    const params = quantParams(context, constant + 1, constant + 2);
    const operand = dequantiseConstant(context, context.constant(constant, 'an operand'), params, 0);
    const x = dequantisedInAnyLayout(context, 3 - constant);
    return [quantiseReal(context, affine(context, operator, x, operand, constant === 0, undefined), 6, 7)];
  }
  const join = operator === 'Add' ? addition : multiplication;
  const joined = join(context, dequantisedInAnyLayout(context, 0), dequantisedInAnyLayout(context, 3), undefined);
  return [quantiseReal(context, joined, 6, 7)];
}

/** A function between a scale and zero point of its input, and those of its result. */
function onCodes(context: NodeContext, f: (x: RealValue) => RealValue): readonly Value[] {
  return [quantiseReal(context, f(dequantisedInAnyLayout(context, 0)), 3, 4)];
}

function qlinearAveragePool(context: NodeContext): readonly Value[] {
  return [quantiseReal(context, averagePool(context, imageInput(context), undefined), 3, 4)];
}

function qlinearGlobalAveragePool(context: NodeContext): readonly Value[] {
  return [quantiseReal(context, meanOfAll(context, imageInput(context), undefined), 3, 4)];
}

/** Inputs: output scale and zero point, then each operand with its own. */
function qlinearConcat(context: NodeContext): readonly Value[] {
  const count = Math.floor((context.node.inputs.length - 2) / 3);
  const operands = Array.from({ length: count }, (_, i) => {
    const at = 2 + 3 * i;
    if (context.input(at).kind !== 'constant') return dequantisedInAnyLayout(context, at);
    return dequantiseConstant(context, context.constant(at, 'an operand'), quantParams(context, at + 1, at + 2), 0);
  });
  return [quantiseReal(context, concatenation(context, operands, context.int('axis', 1), undefined), 0, 1)];
}

function convInteger(context: NodeContext): readonly Value[] {
  return [integerProduct(context, (x, weight) => convolution(context, asSpace(context, x), weight, undefined), 0)];
}

function matMulInteger(context: NodeContext): readonly Value[] {
  return [integerProduct(context, (x, weight) => matmul(context, x, weight), 1)];
}

/**
 * Σ (x − xz)(w − wz), integers, given their meaning by the Mul behind them. The network's op reads
 * the real (x − xz)·xs, so that the factor's xs is taken out of it again: w stands for (w − wz)/xs.
 */
function integerProduct(
  context: NodeContext,
  plan: (x: RealValue, weight: Constant) => LinearPlan,
  outputAxis: number,
): Value {
  const codes = context.input(0);
  if (codes.kind !== 'codes')
    context.badForm(`its input "${context.node.inputs[0]}" holds no codes of a QuantizeLinear`);
  const { x, scale } = integerOperand(context, codes);
  const weight = context.constant(1, 'the weight');
  const weightZero = context.optionalConstant(3, 'a zero point');
  const zeros = weightZero === undefined ? [0] : Array.from(weightZero.data());
  if (zeros.length !== 1 && zeros.length !== weight.shape[outputAxis]) {
    context.shapeMismatch(`${zeros.length} zero points for weight "${weight.name}" [${weight.shape.join(', ')}]`);
  }
  const quant = { scale: zeros.map(() => 1 / scale), zero: zeros, axis: zeros.length === 1 ? 0 : outputAxis };
  return pending(plan(x, dequantised(weight, quant, weight.name)), true);
}

/** What an integer product reads, as the real (x − xz)·xs; of a dynamic quantiser, whose scale is in the Mul behind, the real itself. */
function integerOperand(context: NodeContext, codes: CodesValue): { readonly x: RealValue; readonly scale: number } {
  if (codes.dynamic === true) {
    if (context.optional(2)?.kind !== 'dynamic') context.badForm('its zero point isn’t that of its dynamic quantiser');
    return { x: codes.source, scale: 1 };
  }
  const zero = context.optionalConstant(2, 'a zero point');
  const xZero = zero === undefined ? 0 : zero.data()[0]!;
  if (zero !== undefined && elementCount(zero.shape) !== 1) context.badForm('the zero point of its input is per row');
  const { scale } = codes.code;
  const params = { scale: [scale], zero: [xZero], type: undefined, rank: 0 };
  return { x: dequantiseCodes(context, codes, params, codes.tensor), scale };
}
