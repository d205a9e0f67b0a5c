import { elementCount } from '../../../base/dtype.js';
import { type Constant, dequantised, lazyConstant, reshapedConstant, transposedConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import type { DynamicValue, PendingValue, RealValue, Value } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { linear } from './synapse.js';

/**
 * Dynamic quantisation: scale and zero point come from each input's own values. Imported as the network it approximates,
 * with real activations and the file's integer weights; a static quantiser takes its place with calibration.
 */
export const dynamicOps: OnnxOpTable = {
  DynamicQuantizeLinear: { inputs: [1, 1], run: dynamicQuantizeLinear },
};

/** onnxruntime's fused forms, domain com.microsoft. */
export const microsoftDynamicOps: OnnxOpTable = {
  DynamicQuantizeMatMul: { inputs: [3, 5], run: dynamicQuantizeMatMul },
  MatMulIntegerToFloat: { inputs: [4, 7], run: matMulIntegerToFloat },
};

function dynamicQuantizeLinear(context: NodeContext): readonly Value[] {
  const source = context.realInAnyLayout(0);
  context.graph.dynamicQuantisers.push(context.node.inputs[0]!);
  const code = { scale: 1, zero: 0, min: 0, max: 255 };
  const codes = { kind: 'codes', source, code, elementType: 'uint8', tensor: context.output, dynamic: true } as const;
  return [
    codes,
    { kind: 'dynamic', what: 'scale', factors: [1] },
    { kind: 'dynamic', what: 'zero point', factors: [] },
  ];
}

/** A·(B − zero)·scale + bias, A quantised by its own range on the way. */
function dynamicQuantizeMatMul(context: NodeContext): readonly Value[] {
  context.graph.dynamicQuantisers.push(context.node.inputs[0]!);
  return [product(context, context.real(0), { scale: 2, zero: 3, bias: 4 })];
}

/** The same behind a DynamicQuantizeLinear of its own. */
function matMulIntegerToFloat(context: NodeContext): readonly Value[] {
  const a = context.input(0);
  const scale = context.input(2);
  if (a.kind !== 'codes' || a.dynamic !== true || scale.kind !== 'dynamic')
    context.badForm('its first operand isn’t quantised dynamically', 'static forms are QLinearMatMul and QDQ');
  return [product(context, context.inOwnLayout(a.source), { scale: 3, zero: 5, bias: 6 })];
}

function product(
  context: NodeContext,
  x: RealValue,
  at: { readonly scale: number; readonly zero: number; readonly bias: number },
): RealValue {
  const codes = context.constant(1, 'the second operand');
  if (codes.shape.length !== 2) context.badForm(`its second operand is [${codes.shape.join(', ')}], not a matrix`);
  const scales = Array.from(context.constant(at.scale, 'its scale').data());
  const zero = context.optionalConstant(at.zero, 'its zero point');
  const zeros = zero === undefined ? [0] : Array.from(zero.data());
  const count = Math.max(scales.length, zeros.length);
  if (count !== 1 && count !== codes.shape[1]) {
    context.shapeMismatch(`${count} scales or zero points for a matrix [${codes.shape.join(', ')}]`);
  }
  const spread = (list: readonly number[]): readonly number[] =>
    list.length === count ? list : Array<number>(count).fill(list[0]!);
  const weight = dequantised(codes, { scale: spread(scales), zero: spread(zeros), axis: 1 }, codes.name);
  const bias = context.optionalConstant(at.bias, 'the bias');
  const vector = bias === undefined ? undefined : reshapedConstant(bias, [elementCount(bias.shape)]);
  return linear(context, x, transposedConstant(weight, [1, 0]), vector).emit({ origin: context.output });
}

/** A dynamic scale times a constant one: that of the products. */
export function timesConstant(context: NodeContext, value: DynamicValue, constant: Constant): DynamicValue {
  if (value.what !== 'scale') context.badForm('it multiplies a dynamic zero point');
  const factors = Array.from(constant.data());
  const [first] = value.factors;
  if (value.factors.length !== 1) context.badForm('it multiplies a scale twice by one a channel');
  return { ...value, factors: factors.map((factor) => factor * first!) };
}

/** A bias over a dynamic scale, as old versions of onnxruntime's quantiser write it: rounded, it is added to integer products. */
export function biasOver(context: NodeContext, bias: Constant, scale: DynamicValue): DynamicValue {
  if (scale.what !== 'scale') context.badForm(`it divides by a dynamic ${scale.what}`);
  return { kind: 'dynamic', what: 'bias', factors: scale.factors, bias };
}

/** Integer products and such a bias: with the scale behind them the real bias, one number an output. */
export function plusDynamicBias(
  context: NodeContext,
  products: Value,
  { bias, factors }: DynamicValue & { readonly bias: Constant },
): PendingValue {
  if (products.kind !== 'pending' || !products.integer)
    context.badForm('it adds a bias of a dynamic scale to something else than integer products');
  const [count, outputs] = [elementCount(bias.shape), products.shape[0]!];
  if ((count !== 1 && count !== outputs) || (factors.length !== 1 && factors.length !== outputs))
    context.shapeMismatch(`bias "${bias.name}" is [${bias.shape.join(', ')}], there are ${outputs} outputs`);
  const units = lazyConstant(bias.name, 'double', [outputs], () => {
    const values = bias.data();
    const at = (list: ArrayLike<number>, i: number): number => list[list.length === 1 ? 0 : i]!;
    return Float64Array.from({ length: outputs }, (_, i) => at(values, i) / at(factors, i));
  });
  return { ...products, finish: (fused) => products.finish({ ...fused, bias: units }) };
}
