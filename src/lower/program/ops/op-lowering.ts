import type { Op } from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import type { Lowering, Precision } from '../context.js';

/** What an op may ask for while it is lowered on one tensor. */
export interface Acting {
  readonly lowering: Lowering;
  /** The lowering's builder, which may have a name for the first op. */
  readonly builder: ProgramBuilder;
  /** Of the values that it acts on. */
  readonly dtype: Precision;
  /** The op's weight as its carrier wants it: real values, values on a grid, or integer codes. */
  readonly weight: (op: Op) => Value;
}

/** An op on tensors [kN, …shape]: k time steps folded into the batch, or none. */
export type Act = (acting: Acting, op: Op, inputs: readonly Value[]) => Value;

/**
 * What lowering has to know of a kind of op: said once, used by every carrier.
 *
 * - `synapse`: linear in its only input; then ⊙ a gain, and + a constant once a time step.
 * - `moves`: the same numbers in other places; trains stay trains.
 * - `join`: linear in values that must be there at the same steps; `product`: not linear in them.
 * - `values`: any function of a value at one step.
 * - `time`: what it does depends on how a train is represented: the carrier says it.
 */
export type OpLowering =
  | {
      readonly role: 'synapse';
      /** Without gain and constant; the identity where missing. */
      readonly act?: Act;
      /** An average as the sum over its windows, exact on integers, and over how many values it is. */
      readonly sums?: { readonly act: Act; readonly size: (op: Op, inputShape: readonly number[]) => number };
      /** Roles among the op's parameters. */
      readonly gain?: string;
      readonly plus?: string;
    }
  | { readonly role: 'moves' | 'join' | 'product' | 'values'; readonly act: Act }
  | { readonly role: 'time' };
