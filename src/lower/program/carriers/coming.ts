import { type Op, windowOf } from '../../../network/index.js';
import type { Value } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { stepsOf } from '../runnable.js';
import { FoldedValues } from './folded.js';
import { overTime } from './means-time.js';

/**
 * By how much spikes that are still to come at each step can change each value at most, [TN, …shape]: what is to come of a
 * train times the sizes of the weights that read it. Values that no spike changes any more aren't held.
 */
export class Coming extends FoldedValues {
  readonly #held = new Set<string>();

  constructor(lowering: Lowering) {
    super(lowering, 'f32');
  }

  override set(id: string, value: Value): void {
    this.#held.add(id);
    super.set(id, value);
  }

  find(id: string): Value | undefined {
    return this.#held.has(id) ? this.of(id) : undefined;
  }

  /** A layer or a join behind trains. */
  follow(op: Op): void {
    if (!op.inputs.some((id) => this.#held.has(id))) return;
    const none = (id: string): Value =>
      this.builder.broadcast(this.builder.scalar('f32', 0), folded(this.lowering.steps, this.op(id).type.shape));
    this.set(
      op.id,
      this.act(
        op,
        op.inputs.map((id) => this.find(id) ?? none(id)),
      ),
    );
  }

  /** The earliest spike of a window: nothing more comes of it once one has come, on where [TN, …] it has. */
  followMaximum(op: Op<'maxprefix'>, on: Value): void {
    const from = this.find(op.inputs[0]!);
    if (from === undefined) return;
    const { builder } = this;
    this.set(op.id, builder.mul(builder.as('coming').maxpool(from, windowOf(op.attrs)), builder.sub(1, on)));
  }

  /** A current [TN, …] or [N, …] less what each step's may still change: a threshold that is higher by as much. */
  held(op: Op<'neuron'>, current: Value): Value {
    const { builder, lowering } = this;
    const coming = this.find(op.inputs[0]!);
    if (coming === undefined) return current;
    const { steps } = lowering;
    const all = builder.at(op.id).as('coming').op('detach', [coming], {});
    const before = builder
      .as('before')
      .concat(
        [
          builder.broadcast(builder.scalar('f32', 0), folded(1, op.type.shape)),
          ...(steps === 1 ? [] : [builder.sliceAxis(all, 0, 0, steps - 1)]),
        ],
        0,
      );
    return builder.as('held').sub(overTime(lowering, current), builder.sub(all, before));
  }

  override readonly weight = (op: Parameters<FoldedValues['weight']>[0]): Value =>
    this.builder.abs(this.lowering.realWeight(op, 'weight', this.dtype));

  protected override constant(op: Op, role: string): Value | number | undefined {
    const constant = super.constant(op, role);
    return typeof constant === 'object' ? this.builder.abs(constant) : constant && Math.abs(constant);
  }

  protected override aligned(inputs: readonly Value[]): readonly Value[] {
    return inputs.every((value) => stepsOf(value) === stepsOf(inputs[0]!))
      ? inputs
      : inputs.map((value) => overTime(this.lowering, value));
  }

  /** Constant currents come at every step: nothing of them is still to come. */
  protected override plus(_op: Op, y: Value): Value {
    return y;
  }
}
