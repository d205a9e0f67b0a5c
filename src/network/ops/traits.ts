import { elementCount } from '../../base/dtype.js';

/** Multiply-accumulates of one step of a layer, of its number of outputs and the shape of its weights, if it has any. */
export type Macs = (outputs: number, weight: readonly number[]) => number;

/**
 * What passes, costs and lowerings ask of a kind of layer, instead of its name. Every row answers all of it: a new
 * question doesn't compile until each kind has an answer.
 */
export interface OpTraits {
  /**
   * What its parameters weigh its input with: a matrix (or kernels), whose entries may have bits and step sizes; one
   * kernel over the channels; a number an element. Normalisation has no weights: it is folded into those before it.
   */
  readonly weights: 'matrix' | 'kernel' | 'elements' | 'none';
  /** Multiply-accumulates of a step, where the cost counts it as a layer of its own. */
  readonly macs: Macs | 'none';
  /** Reads several values at the same time steps. */
  readonly join: boolean;
  /** Whether it fires spikes of its own: always; where it reads spikes; means of the spikes that it reads. */
  readonly fires: 'own' | 'chosen' | 'means' | 'none';
  /** Gives on the spikes that it reads, each by itself, as a part of the synapse behind it (without a gain). */
  readonly relays: boolean;
  /** Does to each binary plane of a train what it does to the train. */
  readonly planewise: boolean;
  /** The greatest of some values: it needs levels, not their bits. */
  readonly maximum: boolean;
  /** A quantiser behind it may stand before it: it holds, chooses or moves values in their order. */
  readonly monotone: boolean;
  /** Linear in what it reads, but for a constant. */
  readonly linear: boolean;
  /** May stand on currents and potentials between the encoder and the read-out of a network that only accumulates. */
  readonly accumulates: boolean;
  /** The same values, or some of them, in another shape or order. */
  readonly reshapes: boolean;
  /** A function of each value by itself, without parameters: it may act on what was read out. */
  readonly activation: boolean;
  /** Its values are means of those that it reads, or some of them. */
  readonly keepsRange: boolean;
}

/** One weight an input of each output. */
export const perOutput: Macs = (outputs, weight) => outputs * elementCount(weight.slice(1));
