import { diagnostic } from '../../../base/diagnostics/index.js';
import type { NodeContext } from '../context.js';
import { dequantiseCodes, quantParams, quantiseReal } from '../quantisation.js';
import { type RealValue, type Value, inAxesOf } from '../values.js';
import { timesNumber } from './arithmetic.js';
import { softmaxOver } from './attention.js';
import type { OnnxOpTable } from './define.js';
import { applied } from './function.js';

/** Strictly increasing last layers, and the choice of the greatest: the prediction needs only the logits before them. */
export const lastOps: OnnxOpTable = {
  Softmax: { inputs: [1, 1], run: (c) => [softmax(c, c.realInAnyLayout(0), c.output)] },
  LogSoftmax: { inputs: [1, 1], run: (c) => [logSoftmax(c, c.realInAnyLayout(0))] },
  ArgMax: { inputs: [1, 1], run: (c) => [leftOut(c, c.realInAnyLayout(0), c.int('axis', 0))] },
  TopK: { inputs: [1, 2], run: topOne },
  Sigmoid: { inputs: [1, 1], run: (c) => [sigmoid(c, c.realInAnyLayout(0), c.output)] },
};

/** At the end of a classifier it is left out; elsewhere it is a function like others. */
function sigmoid(context: NodeContext, x: RealValue, origin: string | undefined): Value {
  if (orderKeepingTail(context) !== undefined && context.shapeOf(x).length === 1) return leftOut(context, x);
  const made = context.emit({ kind: 'sigmoid', inputs: [x], origin });
  return inAxesOf(x, made);
}

/** At the end of a classifier it is left out; elsewhere each of its values depends on all along its axis. */
function softmax(context: NodeContext, x: RealValue, origin: string | undefined): Value {
  const { axis, opset } = softmaxAxis(context);
  if (isLast(context, x, axis)) return leftOut(context, x);
  return softmaxOver(context, x, axis, opset, origin);
}

/** Inside: the logarithm of what Softmax gives. */
function logSoftmax(context: NodeContext, x: RealValue): Value {
  const { axis, opset } = softmaxAxis(context);
  if (isLast(context, x, axis)) return leftOut(context, x);
  return applied(context, 'log', softmaxOver(context, x, axis, opset, undefined));
}

function softmaxAxis(context: NodeContext): { readonly axis: number; readonly opset: number } {
  const { graph, node } = context;
  const opset = node.domain === '' || node.domain === 'ai.onnx' ? graph.opset : context.int('opset', graph.opset);
  return { axis: context.int('axis', opset < 13 ? 1 : -1), opset };
}

/** Whether the node ends a classifier [N, classes]. */
function isLast(context: NodeContext, x: RealValue, axis: number): boolean {
  return orderKeepingTail(context) !== undefined && context.shapeOf(x).length === 1 && (axis === 1 || axis === -1);
}

/** The same on codes, in onnxruntime's operators: x, its scale and zero point, those of the result. */
export const lastOpsOnCodes: OnnxOpTable = {
  QLinearSoftmax: { inputs: [4, 5], run: onCodes },
  QLinearSigmoid: { inputs: [4, 5], run: sigmoidOnCodes },
};

/** What moves or re-codes numbers one by one without reordering them: rounding is monotone. */
const keepsOrder: ReadonlySet<string> = new Set(['QuantizeLinear', 'DequantizeLinear', 'Cast', 'Identity']);

function onCodes(context: NodeContext): readonly Value[] {
  const x = dequantisedInput(context);
  const made = softmax(context, x, undefined);
  if (made === x || made.kind !== 'real') return [made];
  // onnxruntime's kernel, its only definition, multiplies by ⌊1/scale⌋ in float32: 254 where the scale is 1/255
  const scale = quantParams(context, 3, 4).scale[0]!;
  const factor = Math.floor(Math.fround(1 / Math.fround(scale))) * scale;
  const whole = Math.abs(factor - 1) < 1e-6 ? made : timesNumber(context, made, factor, undefined);
  return [quantiseReal(context, whole, 3, 4)];
}

function sigmoidOnCodes(context: NodeContext): readonly Value[] {
  const x = dequantisedInput(context);
  const made = sigmoid(context, x, undefined);
  // what was left out gives on the logits
  return made === x || made.kind !== 'real' ? [made] : [quantiseReal(context, made, 3, 4)];
}

function dequantisedInput(context: NodeContext): RealValue {
  const input = context.input(0);
  if (input.kind !== 'codes') context.badForm('its input holds no codes', 'a QuantizeLinear is missing before it');
  return dequantiseCodes(context, input, quantParams(context, 1, 2), context.node.inputs[0]!);
}

/** The greatest value and its place, as FINN ends its networks: what ArgMax says. */
function topOne(context: NodeContext): readonly Value[] {
  const k = context.optionalConstant(1, 'k')?.data()[0] ?? context.int('k', 0);
  if (k !== 1 || context.int('largest', 1) === 0)
    context.badForm(`it takes the ${k} greatest`, 'end the network with its logits; predictions are taken from them');
  const x = context.realInAnyLayout(0);
  return context.node.outputs.map((output, i) =>
    output !== '' && context.isRead(i) ? leftOut(context, x, context.int('axis', -1), output) : x,
  );
}

/** The logits, in the place of the op and of everything behind it up to the output. */
function leftOut(context: NodeContext, x: RealValue, given?: number, output = context.output): Value {
  const { graph, node } = context;
  const behind = orderKeepingTail(context, output);
  if (behind === undefined) {
    context.badForm(
      'it is not the last op',
      'it is dropped at the end of a network, where it does not change the prediction: take an output before it (--output NAME)',
    );
  }
  const rank = context.shapeOf(x).length + 1;
  const axis = given ?? softmaxAxis(context).axis;
  const positive = axis < 0 ? axis + rank : axis;
  if (rank !== 2 || (!node.opType.endsWith('Sigmoid') && positive !== 1)) {
    context.badForm(`it acts on axis ${axis} of ${rank} axes`, 'it is dropped after logits [N, classes]');
  }
  for (const tensor of behind) graph.passed.add(tensor);
  const logits = node.inputs[0]!;
  graph.dropped.set(behind.at(-1)!, { opType: node.opType, logits });
  graph.builder.note(`the last ${node.opType} of ${graph.file} is left out: the output is its input "${logits}"`);
  graph.notices.push(diagnostic('onnx/softmax-dropped', { op: node.opType, logits }, context.place));
  return x;
}

/** The tensors from this node's output to the graph's, where only order-keeping ops lie between. */
function orderKeepingTail(context: NodeContext, output = context.output): readonly string[] | undefined {
  const tail = [output];
  for (;;) {
    const readers = context.graph.readers.get(tail.at(-1)!) ?? [];
    const [reader] = readers;
    if (readers.length !== 1 || reader === undefined) return undefined;
    if (reader === 'output') return tail;
    if (!keepsOrder.has(reader.opType) || reader.inputs[0] !== tail.at(-1)!) return undefined;
    tail.push(reader.outputs[0]!);
  }
}
