import { diagnostic, fail } from '../../../base/diagnostics/index.js';
import { elementCount } from '../../../base/dtype.js';
import { arrayOf, lazyConstant, smallConstant } from '../constant.js';
import type { NodeContext } from '../context.js';
import { elementTypeName, elementTypeOf, isFloatType } from '../element-type.js';
import { tensorConstant } from '../tensor-data.js';
import type { Value } from '../values.js';
import type { OnnxOpTable } from './define.js';
import { onnxShape } from './shape.js';

/** Ops that compute nothing, and the arithmetic of shapes that exporters leave in a graph. */
export const miscOps: OnnxOpTable = {
  Identity: { inputs: [1, 1], run: (c) => [c.input(0)] },
  Dropout: { inputs: [1, 3], run: dropout },
  Constant: { inputs: [0, 0], run: constant },
  Cast: { inputs: [1, 1], run: cast },
  Shape: { inputs: [1, 1], run: shape },
  Gather: { inputs: [2, 2], run: gather },
  Slice: { inputs: [1, 5], run: slice },
  ConstantOfShape: { inputs: [1, 1], run: constantOfShape },
  Softmax: { inputs: [1, 1], run: (c) => [lastActivation(c)] },
  LogSoftmax: { inputs: [1, 1], run: (c) => [lastActivation(c)] },
  Sigmoid: { inputs: [1, 1], run: (c) => [lastActivation(c)] },
};

function dropout(context: NodeContext): readonly Value[] {
  const training = context.optionalConstant(2, 'training_mode')?.data()[0] ?? 0;
  if (training !== 0) context.badForm('it is in training mode', 'export the network for inference (model.eval())');
  if (context.isRead(1)) context.badForm('its output mask is used');
  return [context.input(0)];
}

function constant(context: NodeContext): readonly Value[] {
  const { attributes } = context.node;
  const value = attributes.get('value')?.t;
  if (value !== undefined)
    return [{ ...tensorConstant(value, context.place, context.graph.readExternal), name: context.output }];
  const floats = attributes.get('value_floats')?.floats;
  if (floats !== undefined) return [smallConstant(context.output, 'float', [floats.length], floats)];
  const ints = attributes.get('value_ints')?.ints;
  if (ints !== undefined) return [smallConstant(context.output, 'int64', [ints.length], ints)];
  const float = attributes.get('value_float')?.f;
  if (float !== undefined) return [smallConstant(context.output, 'float', [], [float])];
  const int = attributes.get('value_int')?.i;
  if (int !== undefined) return [smallConstant(context.output, 'int64', [], [int])];
  return context.badForm(`it has none of value, value_float, value_floats, value_int, value_ints`);
}

function cast(context: NodeContext): readonly Value[] {
  const to = elementTypeOf(context.int('to', 0));
  if (to === undefined) {
    fail(
      'onnx/data-type',
      { what: 'the target of the cast', type: elementTypeName(context.int('to', 0)) },
      context.place,
    );
  }
  const input = context.input(0);
  if (input.kind === 'pending' && input.integer && isFloatType(to)) return [input];
  if (input.kind === 'constant') {
    if (input.type === to || (input.quantised !== undefined && isFloatType(to))) return [input];
    return [
      lazyConstant(context.output, to, input.shape, () => {
        const data = input.data();
        return arrayOf(to, isFloatType(to) ? data : Array.from(data, Math.trunc));
      }),
    ];
  }
  if (input.kind === 'real' && isFloatType(to)) return [input];
  return context.badForm(`it casts an activation to ${to}`, 'activations are quantised by QuantizeLinear');
}

function shape(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  const dims = input.kind === 'constant' ? input.shape : onnxShape(context, context.realOrCodes(0).value);
  const at = (n: number): number => Math.min(Math.max(n < 0 ? n + dims.length : n, 0), dims.length);
  const part = dims.slice(at(context.int('start', 0)), at(context.int('end', dims.length)));
  return [smallConstant(context.output, 'int64', [part.length], part)];
}

function gather(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind !== 'constant' || input.shape.length !== 1) {
    context.badForm('it selects from an activation', 'Gather is supported in the arithmetic of shapes');
  }
  const indices = context.constant(1, 'the indices');
  const data = input.data();
  const values = Array.from(indices.data(), (i) => data[i < 0 ? i + data.length : i]);
  if (context.int('axis', 0) !== 0 || values.some((value) => value === undefined))
    context.badForm('an index is out of range');
  return [smallConstant(context.output, input.type, indices.shape, values as number[])];
}

function slice(context: NodeContext): readonly Value[] {
  const input = context.input(0);
  if (input.kind !== 'constant' || input.shape.length !== 1) {
    context.badForm('it cuts an activation', 'Slice is supported in the arithmetic of shapes');
  }
  const only = (i: number, name: string): number | undefined => (context.integers(i, name) ?? context.ints(name))?.[0];
  const count = elementCount(input.shape);
  const at = (n: number): number => Math.min(Math.max(n < 0 ? n + count : n, 0), count);
  if ((only(4, 'steps') ?? 1) !== 1 || (only(3, 'axes') ?? 0) > 0) context.badForm('its steps are not 1');
  const values = Array.from(input.data()).slice(at(only(1, 'starts') ?? 0), at(only(2, 'ends') ?? count));
  return [smallConstant(context.output, input.type, [values.length], values)];
}

function constantOfShape(context: NodeContext): readonly Value[] {
  const dims = context.integers(0, 'the shape') ?? [];
  const count = elementCount(dims);
  if (!(count <= 1 << 16) || dims.some((n) => n < 0))
    context.badForm(`its shape is [${dims.join(', ')}]`, 'small constants only');
  const attribute = context.node.attributes.get('value')?.t;
  const value = attribute === undefined ? undefined : tensorConstant(attribute, context.place, undefined);
  return [
    smallConstant(context.output, value?.type ?? 'float', dims, Array<number>(count).fill(value?.data()[0] ?? 0)),
  ];
}

/** A strictly increasing last layer: the prediction needs only the logits before it. */
function lastActivation(context: NodeContext): Value {
  const readers = context.graph.readers.get(context.output) ?? [];
  if (readers.length === 0 || readers.some((reader) => reader !== 'output')) {
    context.badForm(
      'it is not the last op',
      'it is dropped at the end of a network, where it does not change the prediction',
    );
  }
  const x = context.realInAnyLayout(0);
  const rank = context.shapeOf(x).length + 1;
  const axis = context.int('axis', context.graph.opset < 13 ? 1 : -1);
  const positive = axis < 0 ? axis + rank : axis;
  if (rank !== 2 || (context.node.opType !== 'Sigmoid' && positive !== 1)) {
    context.badForm(`it acts on axis ${axis} of ${rank} axes`, 'it is dropped after logits [N, classes]');
  }
  const logits = context.node.inputs[0]!;
  context.graph.dropped = { opType: context.node.opType, logits };
  context.graph.builder.note(
    `the last ${context.node.opType} of ${context.graph.file} is left out: the output is its input "${logits}"`,
  );
  context.graph.notices.push(diagnostic('onnx/softmax-dropped', { op: context.node.opType, logits }, context.place));
  return x;
}
