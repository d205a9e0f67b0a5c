import { type Tensor, tensor } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type Network, type Op, optionalParam, paramOf, realValues } from '../../network/index.js';
import { type Dim, ProgramBuilder, type Value } from '../../tensor/index.js';
import type { Timed, Train } from './trains.js';

/** Quantities beside the outputs that a run can report. */
export interface Probes {
  /** Spikes and synaptic operations per layer and sample: [N, 2]. */
  readonly counts?: boolean;
  /** Codes and last membranes of every layer of neurons: for comparison with the quantised network. */
  readonly codes?: boolean;
  /** Trains of encoder, neurons and running maxima. */
  readonly trains?: boolean;
  /** These layers of neurons give out their membranes at every local step. */
  readonly membranes?: readonly string[];
}

export interface LoweringOptions {
  /** Precision of membranes and of ANN values. */
  readonly precision: 'f32' | 'f64';
  readonly probes?: Probes;
  /** Fan-out of each neuron of a layer, row-major over its shape; needed for counts. */
  readonly fanOut?: (id: string) => Float64Array;
  /** Results to give out under the ids of their ops, beside the network's outputs (ANN lowering). */
  readonly expose?: readonly string[];
  /** Parameters stay parameters under their own names, also those of one value: they are to be trained. */
  readonly trainable?: boolean;
}

/** What the parts of the lowering share: the program being built and the values made so far. */
export class Lowering {
  readonly builder: ProgramBuilder;
  readonly real = new Map<string, Value>();
  readonly trains = new Map<string, Train>();
  readonly potentials = new Map<string, Timed>();

  constructor(
    readonly network: Network,
    readonly options: LoweringOptions,
  ) {
    this.builder = new ProgramBuilder(network.name);
  }

  realOf(id: string): Value {
    return present(this.real.get(id), `lower: %${id} has no real value`);
  }

  trainOf(id: string): Train {
    return present(this.trains.get(id), `lower: %${id} is no spike train`);
  }

  /** A train or a potential. */
  timedOf(id: string): Timed {
    return present(this.potentials.get(id) ?? this.trains.get(id), `lower: %${id} has no time`);
  }

  /** A weight as it stands (integer codes stay integers), as an f32 parameter. */
  weight(op: Op, role = 'weight'): Value {
    const { tensor: values } = paramOf(this.network, op, role);
    return this.#param(op.params[role]!, values.dtype === 'f32' ? values : tensor('f32', values.shape, values.data));
  }

  /** A weight's real values in a dtype. */
  realWeight(op: Op, role: string, dtype: 'f32' | 'f64'): Value {
    const param = paramOf(this.network, op, role);
    return this.#param(
      `${op.params[role]!}${param.quant === undefined ? '' : '.real'}`,
      tensor(dtype, param.tensor.shape, realValues(param)),
    );
  }

  /** A per-neuron constant, shaped to broadcast over [N, …shape]: [C] → [C,1,1]. */
  perChannel(op: Op, role: string, dtype: 'f32' | 'f64', rank: number): Value | number | undefined {
    const param = optionalParam(this.network, op, role);
    if (param === undefined) return undefined;
    const values = realValues(param);
    if (values.length === 1 && this.options.trainable !== true) return values[0]!;
    const { shape } = param.tensor;
    const wide = shape.length === 1 ? [...shape, ...new Array<number>(rank - 1).fill(1)] : shape;
    return this.#param(op.params[role]!, tensor(dtype, wide, values));
  }

  #param(name: string, values: Tensor): Value {
    const id = this.options.trainable === true ? name : `${name}:${values.dtype}`;
    return this.builder.has(id) ? this.builder.value(id) : this.builder.param(id, values);
  }
}

/** [{batch: steps}, …shape]. */
export function folded(steps: number, shape: readonly number[]): Dim[] {
  return [{ batch: steps }, ...shape];
}
