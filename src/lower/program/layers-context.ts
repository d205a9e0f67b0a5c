import { present } from '../../base/invariant.js';
import type { Network } from '../../network/index.js';
import { type Dim, type Value, isBatch } from '../../tensor/index.js';
import { Lowering, type LoweringOptions } from './context.js';

/** Numbers that a run is fed beside images and labels; the caller draws them from its seed. */
export interface RandomInput {
  readonly id: string;
  /** With the batch axis: [{batch: steps}, …shape]. */
  readonly shape: readonly Dim[];
  /**
   * `uniform`: numbers in [0, 1). `mask`: 1/(1 − rate) with probability 1 − rate, otherwise 0.
   */
  readonly kind: 'uniform' | 'mask';
  readonly rate: number;
}

export type Mode = 'train' | 'infer';

/**
 * What lowering a network of layers shares. Every value is over time, folded into the batch
 * axis ([TN, …shape], time slowest), or constant in time ([N, …shape]): what follows from a
 * constant input before the first neuron is computed once.
 */
export class LayersLowering extends Lowering {
  readonly values = new Map<string, Value>();
  readonly randoms: RandomInput[] = [];
  /** Param → the value that replaces it after a training step. */
  readonly replace: Record<string, string> = {};
  /** Params that a gradient may change, in the order of their ops. */
  readonly learned = new Set<string>();
  /** Membranes of the traced layers at every step, [TN, …shape]. */
  readonly membranes = new Map<string, Value>();
  /** What these are compared with, of layers that say so. */
  readonly thresholds = new Map<string, Value>();

  constructor(
    network: Network,
    readonly mode: Mode,
    readonly steps: number,
    options: LoweringOptions,
    /** Layers of neurons whose membranes are wanted. */
    readonly traced: ReadonlySet<string> = new Set(),
  ) {
    super(network, options);
  }

  timedValue(id: string): Value {
    return present(this.values.get(id), `lower: %${id} has no value yet`);
  }

  random(input: RandomInput): Value {
    this.randoms.push(input);
    return this.builder.input(input.id, 'f32', input.shape);
  }
}

/** How many time steps a value has: 1 where it is constant in time. */
export function stepsOf(value: Value): number {
  const batch = value.shape[0]!;
  return isBatch(batch) ? batch.batch : 1;
}
