import type { DType, Tensor } from '../base/dtype.js';

/** A dimension: a fixed size, or `batch` times the run's batch size N (time is folded in: 8N). */
export type Dim = number | { readonly batch: number };

export interface ValueInfo {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** Attributes of a primitive: what its shape rule, evaluator and emitters read. */
export type OpAttr = number | boolean | string | readonly number[] | readonly Dim[] | Tensor;

/** One primitive operation; its single result is the value named `id` (SSA). */
export interface TensorOp {
  readonly id: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, OpAttr>>;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Id of the Network IR op that this came from. */
  readonly from?: string;
}

export interface ProgramInput extends ValueInfo {
  readonly id: string;
}

/** A weight or a state: named, with its value; engines bind it once. */
export interface ProgramParam extends ValueInfo {
  readonly id: string;
  readonly data: Tensor;
}

/** A flat list of primitive operations over named values, in order of evaluation. */
export interface Program {
  readonly name: string;
  readonly inputs: readonly ProgramInput[];
  readonly params: readonly ProgramParam[];
  readonly ops: readonly TensorOp[];
  /** Output name → value id. */
  readonly outputs: Readonly<Record<string, string>>;
}
