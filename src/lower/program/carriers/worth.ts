import { elementCount, tensor } from '../../../base/dtype.js';
import { InvariantError, present } from '../../../base/invariant.js';
import type { NeuronDef } from '../../../equations/index.js';
import { type Op, makeOp, numberAttr } from '../../../network/index.js';
import { type Value, meanOverTime } from '../../../tensor/index.js';
import { type Lowering, folded } from '../context.js';
import { lowerNeurons } from '../neurons.js';
import { stepsOf } from '../runnable.js';
import type { Timed } from '../trains.js';

/** A number among the arguments of the network's coding. */
export function codingNumber({ network }: Lowering, name: string): number {
  return numberAttr(present(network.coding, `lower: ${network.name} has no coding`).args, name);
}

/** Spikes [TN, …] times what a spike counts at each step, [TN, …]. */
export function timesWeights({ builder }: Lowering, { type }: Op, spikes: Value, weights: readonly number[]): Value {
  const values = elementCount(type.shape);
  const steps = builder.constant(tensor('f32', [weights.length, 1, 1], Float32Array.from(weights)));
  const byStep = builder.reshape(spikes, [weights.length, { batch: 1 }, values]);
  return builder.reshape(builder.as('worth').mul(byStep, steps), folded(weights.length, type.shape));
}

/** The mean over the steps of spikes [TN, …], each times what it counts, [N, …]. */
export function meanWorth(lowering: Lowering, op: Op, spikes: Value, weights: readonly number[]): Value {
  const { builder } = lowering;
  const flat = builder.reshape(
    timesWeights(lowering, op, spikes, weights),
    folded(weights.length, [elementCount(op.type.shape)]),
  );
  return builder.reshape(meanOverTime(builder, flat), folded(1, op.type.shape));
}

/** An input of at most `scale` as a share of it, its size and its sign. */
export function sizeAndSign(lowering: Lowering, op: Op, x: Value): { readonly size: Value; readonly sign: Value } {
  const { builder } = lowering;
  const scale = op.kind === 'encode' ? present(op.attrs.scale, `lower: ${op.id} has no scale`) : 1;
  const share = builder.as('share').mul(x, 1 / scale);
  return { size: builder.min(builder.abs(share), 1), sign: builder.sign(share) };
}

/** The train [TN, …] of a coding's own neuron under a current. */
export function trainOfNeuron(
  lowering: Lowering,
  op: Op,
  def: NeuronDef,
  args: Readonly<Record<string, number>>,
  input: Timed,
): Value {
  const { network, builder } = lowering;
  const made = makeOp(
    { id: op.id, kind: 'neuron', inputs: op.inputs, attrs: { neuron: def.name, ...args }, place: op.place },
    [{ shape: op.type.shape, time: { start: 1, steps: lowering.steps }, code: { kind: 'psp' } }],
    network.params,
    new Map([[def.name, def]]),
  );
  if ('problem' in made) throw new InvariantError(`lower: ${op.id}: ${made.problem}`);
  const { spikes } = lowerNeurons(lowering, made, input, { def });
  return builder.at(op.id).as('train').concat(spikes, 0);
}

/** The same current at every step. */
export function constantCurrent({ steps, builder }: Lowering, x: Value): Timed {
  return {
    steps,
    whole: () => x,
    take: (m) => [m === 1 ? x : builder.mul(x, m), ...new Array<Value>(steps - m).fill(x)],
  };
}

/** A train of sizes [TN, …] with the sign of its input [N, …]. */
export function signed({ builder }: Lowering, train: Value, sign: Value): Value {
  return builder.as('signed').mul(train, builder.concat(new Array<Value>(stepsOf(train)).fill(sign), 0));
}
