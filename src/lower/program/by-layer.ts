import { invariant, present } from '../../base/invariant.js';
import { type Network, type Op, inOrder, makeOp, opsById, roleOf } from '../../network/index.js';
import type { Program } from '../../tensor/index.js';
import { StepwiseNetwork } from './carriers/stepwise.js';
import { Lowering, folded, stepsOfNetwork } from './context.js';
import { lowerNeurons } from './neurons.js';

/**
 * A network of stepwise weighted trains in pieces, layer by layer: the encoder, what reaches a layer of neurons, and the
 * neurons by themselves. A train is f32 levels [Tc·N, …shape], time slowest, a current f64 [N, …shape] for every step.
 */
export interface LayerCurrent {
  readonly program: Program;
  /** Layers (encoder or neurons) whose trains the program is fed, each under its id. */
  readonly fed: readonly string[];
  /** Outputs with the current, one a step. */
  readonly currents: readonly string[];
}

/** Output of the programs of this file. */
export const layerOutputs = { train: 'train', current: 'current', codes: 'codes' } as const;

/** Input of {@link lowerLayerNeurons}: [Tc·N, W], N·W neurons. */
export const neuronInput = 'current in';

const firesOwn = (op: Op): boolean => roleOf(op) === 'encoder' || roleOf(op) === 'neurons';

/** From images, under their input's id, to the train of the encoder. */
export function lowerEncoder(network: Network, encoder: Op): Program {
  const { carried, lowering } = begun(network);
  for (const op of opsBehind(network, encoder, () => false)) carried.lower(op);
  const { builder } = lowering;
  builder.output(layerOutputs.train, present(carried.train(encoder), `lower: %${encoder.id} gives no train`));
  return builder.build();
}

/** Layers (encoder or neurons) whose trains a layer of neurons reads. */
export function trainsRead(network: Network, neurons: Op): readonly string[] {
  return opsBehind(network, neurons, firesOwn)
    .filter((op) => op.id !== neurons.id && firesOwn(op))
    .map(({ id }) => id);
}

/** From the trains that a layer of neurons reads to its input current. */
export function lowerLayerCurrent(network: Network, neurons: Op): LayerCurrent {
  const { carried, lowering } = begun(network);
  const fed: string[] = [];
  for (const op of opsBehind(network, neurons, firesOwn)) {
    if (op.id === neurons.id) continue;
    if (!firesOwn(op)) {
      carried.lower(op);
      continue;
    }
    fed.push(op.id);
    const train = lowering.builder.input(op.id, 'f32', folded(stepsOfNetwork(network), op.type.shape));
    carried.feed(op, train);
  }
  const { builder } = lowering;
  const currents = carried.currents(neurons.inputs[0]!).map((step, k) => {
    const name = `${layerOutputs.current} ${k + 1}`;
    builder.output(name, builder.broadcast(builder.cast(step, 'f64'), folded(1, neurons.type.shape)));
    return name;
  });
  return { program: builder.build(), fed, currents };
}

/**
 * Neurons of a layer with another silent period, any number of them: from currents, {@link neuronInput} [Tc·N, width], to
 * codes [N, width] and trains [Tc·N, width].
 */
export function lowerLayerNeurons(
  network: Network,
  { id, inputs, attrs, place }: Op,
  silent: number,
  width: number,
): Program {
  const lowering = new Lowering(network, { precision: 'f64' });
  const { builder } = lowering;
  const steps = stepsOfNetwork(network);
  const one = [{ shape: [width], time: { start: 1, steps }, code: { kind: 'psp' } }] as const;
  const { params, neurons } = network;
  const made = makeOp({ id, kind: 'neuron', inputs, attrs: { ...attrs, silent }, place }, one, params, neurons);
  invariant(!('problem' in made), `lower: ${id} isn’t a layer of neurons alike`);
  const currents = builder.input(neuronInput, 'f64', folded(steps, [width]));
  const { train } = lowerNeurons(lowering, made, {
    steps,
    take: (m, ratio) => {
      let first = builder.step(currents, 0);
      for (let k = 1; k < m; k++) first = builder.add(builder.mul(first, ratio), builder.step(currents, k));
      return [first, ...Array.from({ length: steps - m }, (_, i) => builder.step(currents, m + i))];
    },
  });
  builder.output(layerOutputs.codes, train.prefix(train.steps));
  const spikes = Array.from({ length: train.steps }, (_, k) => train.step(k + 1));
  builder.output(layerOutputs.train, builder.at(id).as('train').concat(spikes, 0));
  return builder.build();
}

function begun(network: Network): { readonly lowering: Lowering; readonly carried: StepwiseNetwork } {
  const lowering = new Lowering(network, { precision: 'f64' });
  return { lowering, carried: new StepwiseNetwork(lowering) };
}

/** An op and all that it is computed from, in the network's order, up to ops at which that ends. */
function opsBehind(network: Network, last: Op, ends: (op: Op) => boolean): readonly Op[] {
  const byId = opsById(network);
  const needed = new Map([[last.id, last]]);
  const open = [last];
  for (let op = open.pop(); op !== undefined; op = open.pop()) {
    if (op !== last && ends(op)) continue;
    for (const id of op.inputs) {
      if (needed.has(id)) continue;
      const input = byId.get(id)!;
      needed.set(id, input);
      open.push(input);
    }
  }
  return inOrder(network, [...needed.values()]);
}
