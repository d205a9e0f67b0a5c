import { present } from '../../base/invariant.js';
import { type Expr, type NeuronDef, drawsOf } from '../../equations/index.js';
import type { Op } from '../../network/index.js';
import type { Value } from '../../tensor/index.js';
import { type Lowering, folded } from './context.js';

/** The further input currents of a layer of neurons under their names in the equations. */
export function furtherCurrents<V>(
  { id }: Pick<Op, 'id'>,
  { currents = [] }: NeuronDef,
  more: readonly V[],
): readonly { readonly name: string; readonly train: V }[] {
  return currents.map((name, i) => ({ name, train: present(more[i], `lower: ${id} has no current ${name}`) }));
}

/** What the calls of a neuron that draw random numbers are fed, [TN, …shape], each asked for where it is drawn. */
export function drawnTrains(
  lowering: Lowering,
  op: Op<'neuron'>,
  def: NeuronDef,
  steps: number,
): ReadonlyMap<Expr, () => Value> {
  return new Map(
    drawsOf(def).map(({ name, kind, call }) => [
      call,
      () => lowering.random({ id: `${op.id}.${name}`, shape: folded(steps, op.type.shape), kind, dropped: 0 }),
    ]),
  );
}
