import type { ReadOutKind } from '../../../base/read-outs.js';
import type { Op } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import type { Lowering, Precision } from '../context.js';
import type { CodingNumbers, Conversion } from './conversion.js';

/** How the values of a network are represented in a program: chosen by its coding. */
export interface Carrier {
  /** The coding of `Network.coding` that it carries; undefined: networks without one. */
  readonly coding: string | undefined;
  readonly doc: string;
  /**
   * What its trains are: `none` without time; `means`: every step counts alike and their mean is the value (such
   * networks train, and split into planes); `weighted`: a step's weight depends on when it is.
   */
  readonly trains: 'none' | 'means' | 'weighted';
  /** Of membranes, and of values of networks without time. */
  readonly precision: Precision;
  /** The images have a time axis of their own: a frame a step. */
  readonly frames?: boolean;
  /** Layers read whole trains before they fire: nothing is known of an output before it is complete. */
  readonly whole?: boolean;
  /** What is sent are the bits of integer spikes, in virtual steps: how many levels they can say. Inference has them as planes. */
  readonly sentLevels?: (args: CodingNumbers) => number;
  /** Why networks of layers, which are trained, can't have it; missing where they can. */
  readonly untrainable?: string;
  /** How activations become layers of its neurons; missing where the neuron is chosen, or the conversion is its own. */
  readonly conversion?: Conversion;
  readonly begin: (lowering: Lowering) => Carried;
}

/** What a carrier gives out of a layer of neurons that is traced. */
export interface Trace {
  /** [TN, …shape] */
  readonly membranes: Value;
  readonly thresholds?: Value | undefined;
}

/** A network being lowered: the values that its carrier has made so far. */
export interface Carried {
  /** Lowers an op whose inputs have been lowered. */
  lower(op: Op): void;
  /** Lowers the ops of a cycle, whose other inputs have been lowered; missing where the coding has no loops. */
  loop?(ops: readonly Op[]): void;
  /** A value without time, [N, …shape]. */
  real(id: string): Value;
  /** An output of the network read out, [N, …]; over the first `early` steps alone where that is asked for. */
  output(id: string, early?: number): Value;
  /** How an output is read out of its steps; missing where the coding has one way. */
  readOutOf?(id: string): ReadOutKind;
  /** [TN, classes], or [N, classes] without time: what a loss is taken of. */
  logits(id: string): Value;
  /** A layer's values at every step, [TN, …shape]; undefined where it gives out none. */
  train(op: Op): Value | undefined;
  /** A layer's input at every step, or [N, …shape] where it is constant in time; undefined where it isn't one value. */
  current(op: Op): Value | undefined;
  /** [N, 2]: spikes (the ones of codes), and the same times fan-out; undefined where nothing fires. */
  counts(op: Op, fanOut: ArrayLike<number>, ones: boolean): Value | undefined;
  /**
   * [N, …shape]: a quantiser's, encoder's or neuron's code, |u| after the last step, and how far what was rounded is from a
   * tie, in codes.
   */
  codes(
    op: Op,
  ): { readonly codes: Value; readonly membrane?: Value | undefined; readonly tie?: Value | undefined } | undefined;
  trace(op: Op): Trace | undefined;
}
