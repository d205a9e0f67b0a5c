import type { DType } from '../../base/dtype.js';
import type { PrimKind, Program, TensorOp, ValueInfo } from '../../tensor/index.js';
import type { Emit, EmitTable } from './context.js';
import { cast, elementwise, select } from './elementwise.js';
import { argmax, broadcast, concat, pad, reduceMax, reshape, slice, sum, transpose } from './movement.js';
import { avgpool, conv2d, conv2dInputGrad, conv2dWeightGrad, matmul, maxpool, maxpoolGrad } from './windows.js';
import { GraphWriter, valueInfo } from './writer.js';

/** Every primitive as ONNX nodes (opset 17). */
export const onnxEmitters: EmitTable = {
  const: ({ w, attrs, out }) => void w.initializer(out, attrs.value),
  cast,
  ...elementwise,
  select,
  sum,
  reduce_max: reduceMax,
  argmax,
  reshape,
  transpose,
  slice,
  pad,
  concat,
  broadcast,
  matmul,
  conv2d,
  conv2d_input_grad: conv2dInputGrad,
  conv2d_weight_grad: conv2dWeightGrad,
  maxpool,
  maxpool_grad: maxpoolGrad,
  avgpool,
};

/** Primitives whose ONNX operators exist in f32 only. */
const singleOnly: ReadonlySet<PrimKind> = new Set<PrimKind>([
  'conv2d',
  'conv2d_input_grad',
  'conv2d_weight_grad',
  'avgpool',
]);

/** Whether the primitive can be emitted for operands of this dtype. */
export function onnxSupports(kind: PrimKind, dtype: DType): boolean {
  return !(singleOnly.has(kind) && dtype !== 'f32');
}

/** Ops of the program that ONNX, or onnxruntime, has no kernel for. */
export function unsupportedByOnnx(program: Program): Program['ops'] {
  return program.ops.filter((op) => !onnxSupports(op.kind, op.dtype));
}

/**
 * The program as a serialised ONNX model: inputs by id, params as initialisers, outputs by
 * {@link outputNames}, the batch size symbolic.
 */
export function emitOnnx(program: Program): Uint8Array {
  const w = new GraphWriter(program);
  const types = new Map<string, ValueInfo>();
  for (const input of program.inputs) types.set(input.id, input);
  for (const param of program.params) {
    types.set(param.id, param);
    w.initializer(param.id, param.data);
  }
  const makers = new Map<string, TensorOp>();
  const makerOf = (id: string) => makers.get(id);
  const typeOf = (id: string) => types.get(id)!;
  for (const op of program.ops) {
    const emit = onnxEmitters[op.kind] as Emit<unknown>;
    const inputs = op.inputs.map((id) => types.get(id)!);
    emit({ w, op, attrs: op.attrs, names: op.inputs, inputs, makerOf, typeOf, out: op.id });
    types.set(op.id, op);
    makers.set(op.id, op);
  }
  const names = outputNames(program);
  const outputs = Object.entries(program.outputs).map(([name, id]) => {
    const { dtype, shape } = types.get(id)!;
    const result = names[name]!;
    if (result !== id) w.node('Identity', [id], {}, result);
    return valueInfo(result, dtype, shape);
  });
  return w.finish(outputs);
}

/**
 * Output name → its name in the ONNX graph: the same, unless a value of the program is
 * called so.
 */
export function outputNames(program: Program): Readonly<Record<string, string>> {
  const computed = new Set(program.ops.filter((op) => op.kind !== 'const').map((op) => op.id));
  const taken = new Set([...program.inputs, ...program.params, ...program.ops].map((value) => value.id));
  return Object.fromEntries(
    Object.entries(program.outputs).map(([name, id]) => {
      const usable = name === id ? computed.has(id) : !taken.has(name);
      return [name, usable ? name : `out:${name}`];
    }),
  );
}
