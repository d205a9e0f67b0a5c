import { elementCount } from '../../base/dtype.js';

/** Shapes of a layer: of what it reads, what it gives and of its weight, if it has one. */
export interface LayerShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly weight: readonly number[];
}

/** Multiply-accumulates of one step of a layer. */
export type Macs = (shapes: LayerShapes) => number;

/**
 * What a layer does to values, as far as rewriting a network goes; passes have an answer for each role, so that a new
 * kind of layer chooses one of them and no pass names it.
 */
export type OpRole =
  /** What a user feeds. */
  | 'input'
  /** Turns the input into a train; turns a train into what it stands for. */
  | 'encoder'
  | 'read-out'
  /** Layers of neurons by their equations; those that decide on their whole input at once. */
  | 'neurons'
  | 'whole-input'
  /** Sums its inputs under the entries of `weight` [outputs, inputs a group, …taps], and adds a `bias` an output. */
  | 'weighted'
  /** One kernel over the channels. */
  | 'mixing'
  /** Each value, or all of a channel, times `scale`, and plus `shift`. */
  | 'scaling'
  /** Batch normalisation. */
  | 'norm'
  /** Means over windows; the greatest in windows; the same of prefixes of trains. */
  | 'average'
  | 'maximum'
  | 'running-maximum'
  /** The same values, or some of them, in another shape or order. */
  | 'reshape'
  /** A constant border. */
  | 'border'
  /** Values held within bounds (`bounds` of the row); any other function of each value by itself. */
  | 'bound'
  | 'function'
  /** A function of all values along an axis, for each of them. */
  | 'group-function'
  | 'quantiser'
  /** A function of each value and the quantiser behind it, by its steps. */
  | 'table'
  /** Of values of one shape at the same time. */
  | 'sum'
  | 'product'
  | 'concatenation'
  /** Its input, where a network isn't trained. */
  | 'same'
  /** A train later; the train as it was earlier, in the same steps; its binary planes; their sum; its mean. */
  | 'delay'
  | 'lag'
  | 'planes'
  | 'gather'
  | 'squeeze'
  /** Sums over all time steps. */
  | 'step-mixing';

/** Roles of what a coding says the meaning of: its lowering is the carrier's. */
export type TimeRole =
  | 'input'
  | 'encoder'
  | 'read-out'
  | 'neurons'
  | 'whole-input'
  | 'running-maximum'
  | 'delay'
  | 'lag'
  | 'planes'
  | 'gather'
  | 'squeeze'
  | 'step-mixing';

/**
 * What passes, costs and lowerings ask of a kind of layer, instead of its name. Every row answers all of it: a new
 * question doesn't compile until each kind has an answer (`row-traits.ts` holds what several share).
 */
export interface OpTraits {
  readonly role: OpRole;
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
  /**
   * What a spike reaches that enters it: synapses of its own, as many as its `links` (or outputs, without) say; what its
   * result reaches, where that consists of spikes, or else nothing, or one synapse of its own.
   */
  readonly reach: 'own' | 'passed' | 'passed-or-own' | 'none';
  /** Gives on the spikes that it reads, each by itself, as a part of the synapse behind it (without a gain). */
  readonly relays: boolean;
  /** Does to each binary plane of a train what it does to the train. */
  readonly planewise: boolean;
  /** A quantiser behind it may stand before it: it holds, chooses or moves values in their order. */
  readonly monotone: boolean;
  /** Linear in what it reads, but for a constant. */
  readonly linear: boolean;
  /** May stand on currents and potentials between the encoder and the read-out of a network that only accumulates. */
  readonly accumulates: boolean;
  /** Its values are means of those that it reads, or some of them. */
  readonly keepsRange: boolean;
  /** What padding of its own (attribute `pads`) is: zeros; zeros that an average may count; never chosen. */
  readonly padding: 'zeros' | 'averaged' | 'absent' | 'none';
}

/** One weight an input of each output. */
export const perOutput: Macs = ({ output, weight }) => elementCount(output) * elementCount(weight.slice(1));
