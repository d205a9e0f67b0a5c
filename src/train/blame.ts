import type { Op } from '../network/index.js';
import type { TensorOp } from '../tensor/index.js';
import type { Trainee } from './trainee.js';

/** Where a training went wrong, as the model file knows it. */
export interface Blamed {
  /** An op of the network: a layer. */
  readonly layer: string;
  /** `the gradient at` */
  readonly what: string;
  readonly help: string;
}

/**
 * The layer to which the first op of a training step belongs that isn't finite, and what of it that is: its values, their
 * gradient, a parameter's new value; or the loss of what the last layer gives.
 */
export function blame({ network, step }: Trainee, { id, from, kind }: Pick<TensorOp, 'id' | 'from' | 'kind'>): Blamed {
  const owner = from === undefined ? undefined : network.ops.find((op) => op.id === from);
  if (owner !== undefined && !/\.grad(?:\.|$)/.test(id)) {
    const equations = owner.kind === 'neuron' ? `, by \`${kind}\` in the equations of its neuron,` : '';
    return {
      layer: owner.id,
      what: `the values of ${owner.id}${equations}`,
      help: 'lower the learning rate, put `batchnorm` in front of it, or normalise the inputs',
    };
  }
  if (owner !== undefined) {
    return {
      layer: owner.id,
      what: `the gradient at ${owner.id}`,
      help: 'lower the learning rate, or take fewer time steps or a surrogate that is less steep',
    };
  }
  const holderOf = (param: string): Op | undefined =>
    network.ops.find((op) => Object.values(op.params).some((name) => name === param));
  const param = updatedBy(step, id).find((name) => holderOf(name) !== undefined);
  const holder = param === undefined ? undefined : holderOf(param);
  if (holder === undefined) {
    const layer = network.ops.findLast(({ params }) => 'weight' in params)?.id ?? network.outputs[0]!;
    return { layer, what: `the loss of what ${layer} gives`, help: 'lower the learning rate, or warm it up' };
  }
  return {
    layer: holder.id,
    what: `the new value of "${param}" of ${holder.id}`,
    help: 'lower the learning rate, or warm it up over a few epochs',
  };
}

/** The states whose next value an op reaches. */
function updatedBy({ program, states }: Trainee['step'], id: string): readonly string[] {
  const reached = new Set([id]);
  for (const op of program.ops) if (op.inputs.some((input) => reached.has(input))) reached.add(op.id);
  return states.map((state) => state.id).filter((state) => reached.has(program.outputs[`next.${state}`] ?? ''));
}
