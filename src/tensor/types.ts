import type { DType, Tensor } from '../base/dtype.js';

/** A dimension: a fixed size, or `batch` times the run's batch size N (time is folded in: 8N). */
export type Dim = number | { readonly batch: number };

export interface ValueInfo {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** The value is a tuple of these (the results of a `scan`): only `scan_output` reads it; dtype and shape mean nothing. */
  readonly parts?: readonly ValueInfo[];
}

/** Window of a convolution. Order of pads: top, left, bottom, right. */
export interface ConvAttrs {
  readonly stride: readonly number[];
  readonly pads: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** Window of a pooling. Order of pads: top, left, bottom, right. */
export interface PoolAttrs {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly pads: readonly number[];
}

/**
 * The stand-in derivative of a discontinuous op, read by autodiff. `surrogate` is a name of `surrogateTable`; its arguments
 * are `surrogate_*`.
 */
export interface SurrogateAttrs {
  readonly surrogate?: string;
  readonly surrogate_width?: number;
  readonly surrogate_slope?: number;
  readonly surrogate_alpha?: number;
  readonly surrogate_beta?: number;
  readonly surrogate_leak?: number;
  readonly surrogate_lo?: number;
  readonly surrogate_hi?: number;
}

/**
 * A loop over `steps` time steps. Operands: the first values of `states` carried states, then `scanned` trains, then what
 * is the same at every step; `body` takes them in this order, of a train one step. The body's outputs, in order: the
 * states' next values, then what is stacked to trains. Axis 0 of a train is time times the step's own axis 0.
 */
export interface ScanAttrs {
  readonly body: Program;
  readonly steps: number;
  readonly states: number;
  readonly scanned: number;
  /** From the last step to the first. */
  readonly reverse: boolean;
}

export type NoAttrs = Readonly<Record<never, never>>;

/** Every primitive and the attributes it carries. */
export interface PrimAttrs {
  readonly const: { readonly value: Tensor };
  /** The target is also the op's dtype. */
  readonly cast: { readonly to: DType };
  /** The value, cut from the gradient. */
  readonly detach: NoAttrs;
  readonly neg: NoAttrs;
  readonly abs: NoAttrs;
  readonly sign: SurrogateAttrs;
  readonly floor: SurrogateAttrs;
  readonly round: SurrogateAttrs;
  readonly exp: NoAttrs;
  readonly log: NoAttrs;
  readonly sqrt: NoAttrs;
  readonly sigmoid: NoAttrs;
  readonly tanh: NoAttrs;
  readonly atan: NoAttrs;
  readonly not: NoAttrs;
  readonly add: NoAttrs;
  readonly sub: NoAttrs;
  readonly mul: NoAttrs;
  readonly div: NoAttrs;
  readonly pow: NoAttrs;
  readonly min: NoAttrs;
  readonly max: NoAttrs;
  readonly eq: SurrogateAttrs;
  readonly ne: SurrogateAttrs;
  readonly lt: SurrogateAttrs;
  readonly le: SurrogateAttrs;
  readonly gt: SurrogateAttrs;
  readonly ge: SurrogateAttrs;
  readonly and: NoAttrs;
  readonly or: NoAttrs;
  readonly select: NoAttrs;
  readonly sum: { readonly axes: readonly number[]; readonly keepdims: boolean };
  readonly reduce_max: { readonly axes: readonly number[]; readonly keepdims: boolean };
  readonly argmax: { readonly axis: number };
  readonly reshape: { readonly shape: readonly Dim[] };
  readonly transpose: { readonly perm: readonly number[] };
  /** One entry per axis; on a batch axis they count in units of N. */
  readonly slice: {
    readonly starts: readonly number[];
    readonly ends: readonly number[];
    readonly steps: readonly number[];
  };
  /** One entry per axis; on a batch axis they count in units of N. */
  readonly pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  readonly concat: { readonly axis: number };
  readonly lookup: NoAttrs;
  readonly broadcast: { readonly shape: readonly Dim[] };
  readonly matmul: { readonly transA: boolean; readonly transB: boolean };
  readonly conv2d: ConvAttrs;
  /** `input` is the spatial size [H, W] of the convolution's input. */
  readonly conv2d_input_grad: ConvAttrs & { readonly input: readonly number[] };
  /** `kernel` is the spatial size [kh, kw] of the convolution's weight. */
  readonly conv2d_weight_grad: ConvAttrs & { readonly kernel: readonly number[] };
  readonly maxpool: PoolAttrs;
  readonly maxpool_grad: PoolAttrs;
  readonly avgpool: PoolAttrs & { readonly include_pad: boolean };
  readonly scan: ScanAttrs;
  /** Part `index` of a scan's results: its states' last values, then its stacked trains. */
  readonly scan_output: { readonly index: number };
}

export type PrimKind = keyof PrimAttrs;

/** Attributes of a primitive: what its shape rule, evaluator and emitters read. */
export type OpAttr = number | boolean | string | readonly number[] | readonly Dim[] | Tensor | Program;

export type Attrs = Readonly<Record<string, OpAttr>>;

/** One primitive operation; its single result is the value named `id` (SSA). */
export interface TensorOp {
  readonly id: string;
  readonly kind: PrimKind;
  readonly inputs: readonly string[];
  readonly attrs: Attrs;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  /** Types of the results of a `scan`. */
  readonly parts?: readonly ValueInfo[];
  /** Id of the Network IR op that this came from. */
  readonly from?: string;
  /** Id of a value that is there before this is computed, though it isn't read: what is computed again waits for its turn. */
  readonly after?: string;
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

/** The op's attributes, typed by its kind; `verify` has checked them. */
export function attrsOf<K extends PrimKind>(op: TensorOp, _kind: K): PrimAttrs[K] {
  return op.attrs as unknown as PrimAttrs[K];
}
