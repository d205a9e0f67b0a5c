import type { Tensor } from '../base/dtype.js';
import type { NeuronDef } from '../equations/index.js';
import type { Place } from '../base/source.js';
import type { OpAttrs, OpKind } from './ops/kinds.js';
import type { Attrs, ValueType } from './value-types.js';

export type { AttrValue, Attrs, Code, Time, ValueType } from './value-types.js';

interface OpParts {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly type: ValueType;
  /** Where the user wrote it: a span of a model file or a node of an ONNX file. */
  readonly place?: Place;
  /** Name of the source file's tensor that this op's result stands for (ONNX import). */
  readonly origin?: string;
}

/**
 * A layer, of one of the kinds `K`; `kind` says which attributes it has. It has one result, named by its id. `params`
 * maps a role (`weight`, `bias`, `gain` …) to a name in the network's `params`.
 */
export type Op<K extends OpKind = OpKind> = {
  readonly [P in K]: OpParts & { readonly kind: P; readonly attrs: OpAttrs[P] };
}[K];

/** An op whose attributes may be anything, as a text may say it. */
export interface UncheckedOp<K extends OpKind = OpKind> extends OpParts {
  readonly kind: K;
  readonly attrs: Attrs;
}

/** An op whose attributes have been found to be those of its kind. */
export function checkedOp<K extends OpKind>(op: UncheckedOp<K>): Op<K> {
  return op as unknown as Op<K>;
}

/**
 * A weight. Quantised weights keep their integer codes in `tensor` and stand for
 * (code − zero)·scale, with one scale, or one per index of `axis`.
 */
export interface Param {
  readonly tensor: Tensor;
  readonly quant?: { readonly scale: readonly number[]; readonly zero: readonly number[]; readonly axis: number };
}

export interface Coding {
  /** direct | rate | sws | … (docs/language.md, codings) */
  readonly name: string;
  readonly args: Attrs;
}

/** A layer graph. Ops stand in topological order; pure data: passes return new networks. */
export interface Network {
  readonly name: string;
  readonly coding?: Coding;
  readonly ops: readonly Op[];
  /** Ids of the ops whose results leave the network. */
  readonly outputs: readonly string[];
  readonly params: ReadonlyMap<string, Param>;
  readonly neurons: ReadonlyMap<string, NeuronDef>;
  /** What passes want the user to know, in the order it happened. */
  readonly notes: readonly string[];
}
