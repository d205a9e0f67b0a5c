import type { DType } from '../../base/dtype.js';
import { type Pieces, joined } from '../../base/pieces.js';
import { type PrimKind, type Program, type TensorOp, type ValueInfo, attrsOf } from '../../tensor/index.js';
import type { Emit, EmitTable } from './context.js';
import { cast, elementwise, select } from './elementwise.js';
import { argmax, broadcast, concat, lookup, pad, reduceMax, reshape, slice, sum, transpose } from './movement.js';
import { scan, scanOutput } from './scan.js';
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
  lookup,
  matmul,
  conv2d,
  conv2d_input_grad: conv2dInputGrad,
  conv2d_weight_grad: conv2dWeightGrad,
  maxpool,
  maxpool_grad: maxpoolGrad,
  avgpool,
  scan,
  scan_output: scanOutput,
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
  return program.ops.flatMap((op) => {
    if (op.kind === 'scan') return unsupportedByOnnx(attrsOf(op, 'scan').body);
    return onnxSupports(op.kind, op.dtype) ? [] : [op];
  });
}

/**
 * The program as a serialised ONNX model: inputs by id, params as initialisers, outputs by
 * {@link outputNames}, the batch size symbolic.
 */
export function emitOnnx(program: Program): Uint8Array {
  return joined(emitOnnxPieces(program));
}

/** The bytes of {@link emitOnnx} without being in memory together. */
export function emitOnnxPieces(program: Program): Pieces {
  const w = new GraphWriter(program);
  for (const param of program.params) w.initializer(param.id, param.data);
  const types = emitOps(w, program, new Map());
  const names = outputNames(program);
  const outputs = Object.entries(program.outputs).map(([name, id]) => {
    const { dtype, shape } = types.get(id)!;
    const result = names[name]!;
    if (result !== id) w.node('Identity', [id], {}, result);
    return valueInfo(result, dtype, shape);
  });
  return w.finish(outputs);
}

/** Writes all ops to a graph; gives the types of all values, those `around` a body included. */
function emitOps(
  w: GraphWriter,
  program: Program,
  around: ReadonlyMap<string, ValueInfo>,
): ReadonlyMap<string, ValueInfo> {
  const types = new Map(around);
  for (const value of [...program.inputs, ...program.params]) types.set(value.id, value);
  const makers = new Map<string, TensorOp>();
  const makerOf = (id: string) => makers.get(id);
  const typeOf = (id: string) => types.get(id)!;
  const emitBody = (inner: GraphWriter, body: Program) => void emitOps(inner, body, types);
  for (const op of program.ops) {
    const emit = onnxEmitters[op.kind] as Emit<unknown>;
    const inputs = op.inputs.map((id) => types.get(id)!);
    emit({ w, op, attrs: op.attrs, names: op.inputs, inputs, makerOf, typeOf, out: op.id, emitBody });
    types.set(op.id, op);
    makers.set(op.id, op);
  }
  return types;
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
