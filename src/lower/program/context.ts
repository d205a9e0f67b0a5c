import { type Tensor, tensor } from '../../base/dtype.js';
import { castTensor } from '../../base/lazy-tensor.js';
import {
  type LoweredOp,
  type LoweringContext,
  type Network,
  type Precision,
  type RandomInput,
  opsById,
  optionalParam,
  paramOf,
  realTensor,
  realValues,
} from '../../network/index.js';
import { ProgramBuilder, type Value } from '../../tensor/index.js';

export { folded } from '../../tensor/index.js';
export type { Precision } from '../../network/index.js';
export type Mode = LoweringContext['mode'];

export interface LoweringOptions {
  /** Of membranes, and of the values of networks without time. */
  readonly precision: Precision;
  /** `train`: batch norms see their batch and dropout drops; `infer` where missing. */
  readonly mode?: Mode;
  /** Parameters stay parameters under their own names, also those of one value: they are trained or fed. */
  readonly trainable?: boolean;
  /** Layers of neurons whose membranes are wanted. */
  readonly traced?: ReadonlySet<string>;
  /** Whether layers of neurons are unrolled over their time steps; where missing a rule says (`looped-neurons.ts`). */
  readonly unroll?: boolean | undefined;
}

/** What all parts of a lowering share: the program being built, its parameters and random inputs. */
export class Lowering implements LoweringContext {
  readonly builder: ProgramBuilder;
  readonly mode: Mode;
  /** Steps of the network's coding. */
  readonly steps: number;
  readonly randoms: RandomInput[] = [];
  /** Param → the value that replaces it after a training step. */
  readonly replace: Record<string, string> = {};

  constructor(
    readonly network: Network,
    readonly options: LoweringOptions,
    steps = stepsOfNetwork(network),
  ) {
    this.builder = new ProgramBuilder(network.name);
    this.mode = options.mode ?? 'infer';
    this.steps = steps;
  }

  /** A weight as it stands (integer codes stay integers), as an f32 parameter. */
  weight(op: LoweredOp, role = 'weight'): Value {
    const { tensor: values } = paramOf(this.network, op, role);
    return this.param(op.params[role]!, values.dtype === 'f32' ? values : castTensor('f32', values));
  }

  /** A weight's real values in a dtype. */
  realWeight(op: LoweredOp, role: string, dtype: Precision): Value {
    const param = paramOf(this.network, op, role);
    const name = `${op.params[role]!}${param.quant === undefined ? '' : '.real'}`;
    // what is trained is the program's own
    const own = this.options.trainable === true || param.quant !== undefined || param.tensor.dtype !== dtype;
    return this.param(name, own ? castTensor(dtype, realTensor(param)) : param.tensor);
  }

  /** A per-neuron constant, shaped to broadcast over [N, …shape]: [C] → [C,1,1]. */
  perChannel(op: LoweredOp, role: string, dtype: Precision, rank: number, axis = 0): Value | number | undefined {
    const param = optionalParam(this.network, op, role);
    if (param === undefined) return undefined;
    const values = realValues(param);
    if (values.length === 1 && this.options.trainable !== true) return values[0]!;
    const { shape } = param.tensor;
    const wide = shape.length === 1 ? [...shape, ...new Array<number>(rank - 1 - axis).fill(1)] : shape;
    return this.param(op.params[role]!, tensor(dtype, wide, values));
  }

  /** A parameter with a value for each time step, [T]; within a loop its value at this step, [1]. */
  perStep(op: LoweredOp, role: string, dtype: Precision): Value | number | undefined {
    return this.perChannel(op, role, dtype, 1);
  }

  isInput(id: string): boolean {
    return opsById(this.network).get(id)?.kind === 'input';
  }

  /** Numbers that a run is fed; asked for again, the same ones. */
  random(input: RandomInput): Value {
    if (this.randoms.some(({ id }) => id === input.id)) return this.builder.value(input.id);
    this.randoms.push(input);
    return this.builder.input(input.id, 'f32', input.shape);
  }

  /** A parameter of the program; asked for again, the same one. */
  param(name: string, values: Tensor): Value {
    const id = this.options.trainable === true ? name : `${name}:${values.dtype}`;
    return this.builder.has(id) ? this.builder.value(id) : this.builder.param(id, values);
  }
}

/** Steps of a network's coding; 1 for a network without time. */
export function stepsOfNetwork(network: Network): number {
  return network.ops.find((op) => op.kind === 'encode')?.attrs.steps ?? 1;
}
