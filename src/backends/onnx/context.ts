import type { Dim, PrimAttrs, PrimKind, Program, TensorOp, ValueInfo } from '../../tensor/index.js';
import type { GraphWriter } from './writer.js';

/** What an emitter reads, and the graph it writes to. */
export interface EmitContext<A> {
  readonly w: GraphWriter;
  readonly op: TensorOp;
  readonly attrs: A;
  /** ONNX names of the operands. */
  readonly names: readonly string[];
  readonly inputs: readonly ValueInfo[];
  /** The op that makes a value; undefined for inputs and params. */
  readonly makerOf: (id: string) => TensorOp | undefined;
  readonly typeOf: (id: string) => ValueInfo;
  /** The ONNX name that the result must get. */
  readonly out: string;
  /** Writes all ops of a body, whose ids are their ONNX names, to a graph. */
  readonly emitBody: (w: GraphWriter, body: Program) => void;
}

/** Writes one primitive as ONNX nodes, the last of which is named `out`. */
export type Emit<A> = (context: EmitContext<A>) => void;

export type EmitTable = { readonly [K in PrimKind]: Emit<PrimAttrs[K]> };

/** The size of an axis known not to be the batch. */
export function size(shape: readonly Dim[], axis: number): number {
  return shape[axis] as number;
}

/** A shape as Reshape takes it: −1 for the batch axis. */
export function reshapeTarget(shape: readonly Dim[]): number[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : -1));
}

/** `name` converted to a dtype. */
export function castTo(w: GraphWriter, name: string, onnxType: number, out?: string): string {
  return w.node('Cast', [name], { to: onnxType }, out ?? w.fresh('Cast'));
}
