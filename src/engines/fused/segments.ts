import type { Tensor } from '../../base/dtype.js';
import type { Program, ValueInfo } from '../../tensor/types.js';
import type { DotProduct } from './dots.js';
import type { RegionGraph } from './region.js';
import type { IntegerSynapse } from '../bytes/synapses.js';

/** The values that a segment reads from memory and leaves there. */
interface Ends {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A segment that makes one value of one. */
interface OneToOne {
  readonly inputs: readonly [string];
  readonly outputs: readonly [string];
}

/** A kernel: element-wise ops, computed in one pass over memory. */
export interface KernelSegment extends Ends {
  readonly kind: 'kernel';
  readonly region: RegionGraph;
}

/** Ops that one onnxruntime session runs, as a program of their own. */
export interface SessionSegment extends Ends {
  readonly kind: 'session';
  readonly program: Program;
}

/** A convolution or linear layer as a product of bytes: of bytes sums, i32. */
export interface IntegerSegment extends OneToOne {
  readonly kind: 'integer';
  readonly synapse: IntegerSynapse;
}

/** A linear layer with few outputs, by a kernel of its own. */
export interface DotSegment extends OneToOne {
  readonly kind: 'dot';
  readonly dot: DotProduct;
}

/** A loop over time: its body, cut up once, runs at every step on states and trains in the memory. */
export interface LoopSegment extends Ends {
  readonly kind: 'loop';
  readonly loop: Loop;
}

/** The ids on the left are the body's, those on the right the program's. */
export interface Loop {
  readonly id: string;
  readonly steps: number;
  readonly reverse: boolean;
  readonly body: Partition;
  readonly states: readonly {
    readonly now: string;
    readonly next: string;
    readonly initial: string;
    /** Where the value after the last step is wanted. */
    readonly final: readonly string[];
  }[];
  readonly trains: readonly { readonly step: string; readonly whole: string }[];
  readonly invariants: readonly { readonly inner: string; readonly outer: string }[];
  readonly stacked: readonly { readonly step: string; readonly whole: readonly string[] }[];
}

export type Segment = KernelSegment | SessionSegment | IntegerSegment | DotSegment | LoopSegment;

/** Every segment in order, those of a loop's body in its place. */
export function flatSegments({ segments }: Partition): readonly Exclude<Segment, LoopSegment>[] {
  return segments.flatMap((segment) => (segment.kind === 'loop' ? flatSegments(segment.loop.body) : [segment]));
}

export interface Partition {
  /** In order of execution. */
  readonly segments: readonly Segment[];
  /** Values that are another value's memory under another shape or name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Params, constants, and what was computed from these alone. */
  readonly constants: ReadonlyMap<string, Tensor>;
  readonly infoOf: (id: string) => ValueInfo;
}
