import type { Dim, ProgramBuilder, Value } from '../../tensor/index.js';
import type { ValueType } from '../value-types.js';

export type Precision = 'f32' | 'f64';

/** Numbers that a run is fed beside images and labels; the caller draws them from its seed. */
export interface RandomInput {
  readonly id: string;
  /** With the batch axis: [{batch: steps}, …shape]. */
  readonly shape: readonly Dim[];
  /**
   * `uniform`: numbers in [0, 1). `normal`: of mean 0 and deviation 1. `mask`: 1/(1 − dropped) with probability 1 − dropped, otherwise 0.
   */
  readonly kind: 'uniform' | 'normal' | 'mask';
  readonly dropped: number;
  /** Of the coding that draws them; 0 where missing. */
  readonly seed?: number;
}

/** An op as its lowering sees it. */
export interface LoweredOp<A = unknown> {
  readonly id: string;
  readonly inputs: readonly string[];
  readonly attrs: A;
  readonly params: Readonly<Record<string, string>>;
  readonly type: ValueType;
}

/** What all ops of a network that is being lowered share. */
export interface LoweringContext {
  readonly builder: ProgramBuilder;
  /** `train`: batch norms see their batch and dropout drops. */
  readonly mode: 'train' | 'infer';
  /** Steps of the network's coding. */
  readonly steps: number;
  /** Param → the value that replaces it after a training step. */
  readonly replace: Record<string, string>;
  random(input: RandomInput): Value;
  /** A per-neuron constant, shaped to broadcast over [N, …shape]: [C] → [C,1,1]; channels on another axis stand there. */
  perChannel(op: LoweredOp, role: string, dtype: Precision, rank: number, axis?: number): Value | number | undefined;
  /** A parameter's real values in a dtype, in its own shape. */
  realWeight(op: LoweredOp, role: string, dtype: Precision): Value;
  /** Whether a value is what a user feeds. */
  isInput(id: string): boolean;
}

/** What an op may ask for while it is lowered on one tensor. */
export interface Acting {
  readonly lowering: LoweringContext;
  /** The lowering's builder, which may have a name for the first op. */
  readonly builder: ProgramBuilder;
  /** Of the values that it acts on. */
  readonly dtype: Precision;
  /** The op's weight as its carrier wants it: real values, values on a grid, or integer codes. */
  readonly weight: (op: LoweredOp) => Value;
}

/** An op on tensors [kN, …shape]: k time steps folded into the batch, or none. */
export type Act<A> = (acting: Acting, op: LoweredOp<A>, inputs: readonly Value[]) => Value;

/**
 * What lowering has to know of a kind of op: said once, used by every carrier.
 *
 * - `synapse`: linear in its only input; then ⊙ a gain, and + a constant once a time step.
 * - `moves`: the same numbers in other places; trains stay trains.
 * - `join`: linear in values that must be there at the same steps; `product`: not linear in them.
 * - `values`: any function of a value at one step.
 * - `time`: what it does depends on how a train is represented: the carrier says it.
 */
export type OpLowering<A = unknown> =
  | {
      readonly role: 'synapse';
      /** Without gain and constant; the identity where missing. */
      act?(this: void, ...args: Parameters<Act<A>>): Value;
      /** An average as the sum over its windows, exact on integers. */
      readonly sums?: WindowSums<A>;
      /** Roles among the op's parameters. */
      readonly gain?: string;
      readonly plus?: string;
    }
  | {
      readonly role: 'moves' | 'join' | 'product' | 'values';
      act(this: void, ...args: Parameters<Act<A>>): Value;
    }
  | { readonly role: 'time' };

export interface WindowSums<A> {
  act(this: void, ...args: Parameters<Act<A>>): Value;
  /** Over how many values a window's sum is. */
  size(this: void, op: LoweredOp<A>, inputShape: readonly number[]): number;
  /** Whether the average divides alike everywhere, so that it is a sum of its windows at a smaller scale. */
  dividesAlike(this: void, op: LoweredOp<A>): boolean;
}
