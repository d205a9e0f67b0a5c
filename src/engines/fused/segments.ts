import type { Tensor } from '../../base/dtype.js';
import type { Program, ValueInfo } from '../../tensor/types.js';
import type { DotProduct } from './dots.js';
import type { RegionGraph } from './region.js';
import type { IntegerSynapse } from './synapses.js';

/** A kernel: element-wise ops, computed in one pass over memory. */
export interface KernelSegment {
  readonly kind: 'kernel';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly region: RegionGraph;
}

/** Ops that one onnxruntime session runs, as a program of their own. */
export interface SessionSegment {
  readonly kind: 'session';
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly program: Program;
}

/** A convolution or linear layer as a product of bytes. */
export interface IntegerSegment {
  readonly kind: 'integer';
  /** The bytes. */
  readonly inputs: readonly [string];
  /** The sums, i32. */
  readonly outputs: readonly [string];
  readonly synapse: IntegerSynapse;
}

/** A linear layer with few outputs, by a kernel of its own. */
export interface DotSegment {
  readonly kind: 'dot';
  readonly inputs: readonly [string];
  readonly outputs: readonly [string];
  readonly dot: DotProduct;
}

export type Segment = KernelSegment | SessionSegment | IntegerSegment | DotSegment;

export interface Partition {
  /** In order of execution. */
  readonly segments: readonly Segment[];
  /** Values that are another value's memory under another shape or name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Params, constants, and what was computed from these alone. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly infoOf: (id: string) => ValueInfo;
}
