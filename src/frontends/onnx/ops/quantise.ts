import { fail } from '../../../base/diagnostics/index.js';
import type { NodeContext } from '../context.js';
import { dequantiseCodes, dequantiseConstant, quantParams, quantiseConstant, quantiseReal } from '../quantisation.js';
import { elementTypeOf } from '../element-type.js';
import type { Value } from '../values.js';
import type { OnnxOpTable } from './define.js';

/** QuantizeLinear and DequantizeLinear, on activations and on constants. */
export const quantiseOps: OnnxOpTable = {
  QuantizeLinear: { inputs: [2, 3], run: quantizeLinear },
  DequantizeLinear: { inputs: [2, 3], run: dequantizeLinear },
};

function quantizeLinear(context: NodeContext): readonly Value[] {
  refuseBlocks(context);
  const input = context.input(0);
  const outputType = context.int('output_dtype', 0);
  const fallback = outputType === 0 ? 'uint8' : elementTypeOf(outputType);
  if (fallback === undefined) context.badAttribute('output_dtype', outputType);
  if (input.kind === 'constant') {
    const params = quantParams(context, 1, 2);
    return [
      quantiseConstant(
        context,
        input,
        { ...params, type: params.type ?? fallback },
        axisOf(context, input.shape.length),
      ),
    ];
  }
  return [quantiseReal(context, context.realInAnyLayout(0), 1, 2, fallback)];
}

function dequantizeLinear(context: NodeContext): readonly Value[] {
  refuseBlocks(context);
  const input = context.input(0);
  if (input.kind === 'codes' && input.dynamic === true && context.input(1).kind === 'dynamic') return [input.source];
  const params = quantParams(context, 1, 2);
  if (input.kind === 'constant')
    return [dequantiseConstant(context, input, params, axisOf(context, input.shape.length))];
  if (input.kind === 'codes') return [dequantiseCodes(context, input, params, context.output)];
  if (input.kind === 'pending' && input.integer) {
    if (params.zero.some((zero) => zero !== 0)) context.badForm('integer products have the zero point 0');
    return [input.finish({ factor: params.scale, origin: context.output })];
  }
  return context.badForm(`its input "${context.node.inputs[0]}" holds floats, not codes`);
}

function axisOf(context: NodeContext, rank: number): number {
  const axis = context.int('axis', 1);
  const positive = axis < 0 ? axis + rank : axis;
  // a scalar scale leaves the default axis without meaning
  return rank === 0 ? 0 : positive;
}

function refuseBlocks(context: NodeContext): void {
  if (context.int('block_size', 0) !== 0) fail('onnx/blocked-quantisation', {}, context.place);
}
