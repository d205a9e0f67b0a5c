import { present } from '../../../base/invariant.js';
import {
  type Acting,
  type LoweredOp,
  type Op,
  channelAxisOf,
  hasWeightMatrix,
  loweringOf,
  opsById,
} from '../../../network/index.js';
import type { ProgramBuilder, Value } from '../../../tensor/index.js';
import { gridWeight } from '../bits.js';
import { type Lowering, type Precision, folded } from '../context.js';
import { stepsOf } from '../runnable.js';

/**
 * One tensor an op, its time steps (if any) folded into the batch axis, time slowest: how real values and trains that
 * carry means are represented. Every op acts on all steps at once.
 */
export class FoldedValues implements Acting {
  readonly #values = new Map<string, Value>();
  readonly #byId: ReadonlyMap<string, Op>;

  constructor(
    readonly lowering: Lowering,
    readonly dtype: Precision,
  ) {
    this.#byId = opsById(lowering.network);
  }

  of(id: string): Value {
    return present(this.#values.get(id), `lower: %${id} has no value yet`);
  }

  set(id: string, value: Value): void {
    this.#values.set(id, value);
  }

  op(id: string): Op {
    return present(this.#byId.get(id), `lower: no op ${id}`);
  }

  get builder(): ProgramBuilder {
    return this.lowering.builder;
  }

  readonly weight = ({ id }: LoweredOp): Value => {
    const op = this.op(id);
    if (hasWeightMatrix(op)) return gridWeight(this.lowering, op, this.dtype);
    return this.lowering.realWeight(op, 'weight', this.dtype);
  };

  /** An op of the table on its inputs' values. */
  act(op: Op, inputs: readonly Value[] = op.inputs.map((id) => this.of(id))): Value {
    const { builder } = this.lowering;
    const row = loweringOf(op);
    builder.at(op.id);
    switch (row.role) {
      case 'time':
        throw new TypeError(`lower: ${op.kind} %${op.id} has no form in this coding`);
      case 'join':
        return row.act(this, op, this.aligned(inputs));
      case 'product': {
        // planes of one operand lie between the steps of the other
        const inPlanes = 'planes' in op.attrs && op.attrs.planes !== undefined;
        return row.act(this, op, inPlanes ? inputs : this.aligned(inputs));
      }
      case 'moves':
      case 'values':
        return row.act(this, op, inputs);
      case 'synapse': {
        const gain = row.gain === undefined ? undefined : this.constant(op, row.gain);
        const y = row.act === undefined ? inputs[0]! : (this.ofCodes(op, inputs) ?? row.act(this, op, inputs));
        const weighed = this.weighed(op, gain === undefined ? y : builder.mul(y, gain));
        const constant = row.plus === undefined ? undefined : this.constant(op, row.plus);
        return constant === undefined ? weighed : this.plus(op, weighed, constant);
      }
    }
  }

  /** Logits [kN, classes] of a value. */
  flat(x: Value): Value {
    const classes = x.shape.slice(1).reduce<number>((product, n) => product * (n as number), 1);
    return this.lowering.builder.reshape(x, folded(stepsOf(x), [classes]));
  }

  /** A parameter for each channel. */
  protected constant(op: Op, role: string): Value | number | undefined {
    return this.lowering.perChannel(op, role, this.dtype, op.type.shape.length, channelAxisOf(op));
  }

  /** What a layer of integer weights sums up of integer codes, in real values; undefined where it acts on real ones. */
  protected ofCodes(_op: Op, _inputs: readonly Value[]): Value | undefined {
    return undefined;
  }

  /** Values of a join at the same steps. */
  protected aligned(inputs: readonly Value[]): readonly Value[] {
    return inputs;
  }

  /** What a synapse delivers, by the weight of each step. */
  protected weighed(_op: Op, y: Value): Value {
    return y;
  }

  /** A constant current, once a step. */
  protected plus(_op: Op, y: Value, constant: Value | number): Value {
    return this.lowering.builder.add(y, constant);
  }
}
