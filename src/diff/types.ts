import type { AttrValue, Op } from '../network/index.js';

/** A field's value as it is shown; `null` where the field is missing. */
export type FieldValue = AttrValue | readonly string[] | null;

/** One field of an op that differs. `id` is the op's id in the first network. */
export interface FieldChange {
  readonly id: string;
  /** An attribute's name, or `kind`, `inputs`, `shape`, `time`, `code`, a phase of a neuron's equations, a parameter's role. */
  readonly field: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/** A field of the network itself: `coding`, `coding.steps`, `outputs`. */
export interface NetworkChange {
  readonly field: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/** How the values of a parameter that both networks have differ. */
export interface WeightChange {
  /** The parameter's name in the first network. */
  readonly id: string;
  /** Of the op that reads it, in the first network. */
  readonly op: string;
  readonly role: string;
  readonly equal: boolean;
  /** Largest absolute difference of the real values; `null` where the shapes differ. */
  readonly max_abs: number | null;
  /** Largest absolute value in the first network, to judge a difference by. */
  readonly largest?: number;
  /** The values of a parameter that is one number, as a learned threshold is. */
  readonly value?: { readonly from: number; readonly to: number };
  /** The second is the first times this number. */
  readonly scale?: number;
  /** The second is the first times a number per index of axis 0. */
  readonly channel_scales?: readonly number[];
  readonly shape?: { readonly from: readonly number[]; readonly to: readonly number[] };
  /** How the values are stored, where that differs: `f32`, `i8 × scale`. */
  readonly stored?: { readonly from: string; readonly to: string };
  /** The old shape doesn't fit the new inputs: something before it made the change necessary. */
  readonly follows?: true;
}

/** Both sides of a match, by ids. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/**
 * What differs between two networks. Causes stand in `network`, `added`, `removed`, `renamed`, `changed` and `weights`;
 * `consequences` are what necessarily follows from them: types of ops further on, inputs that now pass an added op.
 */
export interface NetworkDiff {
  readonly identical: boolean;
  readonly network: readonly NetworkChange[];
  /** Ops of the second network without a counterpart. */
  readonly added: readonly Op[];
  /** Ops of the first network without a counterpart. */
  readonly removed: readonly Op[];
  /** Ops that correspond under another id. */
  readonly renamed: readonly Renamed[];
  readonly changed: readonly FieldChange[];
  readonly consequences: readonly FieldChange[];
  /** Every parameter that both have, equal ones included. */
  readonly weights: readonly WeightChange[];
  readonly notes: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Ops that correspond, whether they changed or not. */
  readonly matched: number;
  /** Kinds of the first network's ops by id, for those who show changes. */
  readonly kinds: ReadonlyMap<string, string>;
}
