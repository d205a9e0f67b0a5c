/** What the numbers of a value mean. */
export type Code =
  /** real activations */
  | { readonly kind: 'real' }
  /** postsynaptic potential: what a synapse delivers to a neuron, one value per time step */
  | { readonly kind: 'psp' }
  /** spikes: levels min…max (integers) times `step`, the amplitude */
  | { readonly kind: 'spike'; readonly min: number; readonly max: number; readonly step: number }
  /** integer codes Q in min…max that stand for the real (Q − zero)·scale */
  | {
      readonly kind: 'quant';
      readonly scale: number;
      readonly zero: number;
      readonly min: number;
      readonly max: number;
    };

/** Global time steps `start … start + steps − 1` (1-based) at which a value is present. */
export interface Time {
  readonly start: number;
  readonly steps: number;
}

/** Shape without the batch axis: [C, H, W] or [features]. Values of an ANN have no time. */
export interface ValueType {
  readonly shape: readonly number[];
  readonly time?: Time;
  readonly code: Code;
}

export type AttrValue = number | boolean | string | readonly number[];
export type Attrs = Readonly<Record<string, AttrValue>>;
