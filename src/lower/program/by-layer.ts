import { invariant, present } from '../../base/invariant.js';
import { type Network, type Op, inOrder, makeOp, numberAttr, opsById, roleOf } from '../../network/index.js';
import type { Program, ProgramBuilder, Value } from '../../tensor/index.js';
import { StepwiseNetwork } from './carriers/stepwise.js';
import { Lowering, folded, stepsOfNetwork } from './context.js';
import { lowerNeurons } from './neurons.js';

/**
 * A network of stepwise weighted trains in pieces, layer by layer: the encoder, what reaches a layer of neurons, and the
 * neurons by themselves. A train is f32 levels [Tc·N, …shape], time slowest, a current f64 of the same shape.
 */
export interface LayerCurrent {
  readonly program: Program;
  /** Layers (encoder or neurons) whose trains the program is fed, each under its id. */
  readonly fed: readonly string[];
}

/** Output of the programs of this file. */
export const layerOutputs = { train: 'train', current: 'current', codes: 'codes' } as const;

/** Inputs of {@link lowerLayerNeurons}: [Tc·N, W], N·W neurons, and [2] of what their currents are weighed with. */
export const neuronInputs = { current: 'current in', margin: 'margin' } as const;

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
  const current = builder.cast(carried.every(neurons.inputs[0]!), 'f64');
  const shape = folded(stepsOfNetwork(network), neurons.type.shape);
  builder.output(layerOutputs.current, builder.broadcast(current, shape));
  return { program: builder.build(), fed };
}

export interface LayerNeurons {
  readonly silent: number;
  readonly width: number;
  /**
   * Whether codes are wanted that neurons decide on with a margin: with the same sum Σ β^(Tc−τ)·z(τ), of which, after every step, so many
   * times as much is still to come. All currents times the margin m, and the first makes up for it; fed are m and 1 − m. Otherwise trains.
   */
  readonly margin: boolean;
}

/**
 * Neurons of a layer with another silent period, any number of them: from currents, [Tc·N, width], to codes [N, width] or to
 * trains [Tc·N, width].
 */
export function lowerLayerNeurons(
  network: Network,
  { id, inputs, attrs, place }: Op,
  { silent, width, margin }: LayerNeurons,
): Program {
  const lowering = new Lowering(network, { precision: 'f64' });
  const { builder } = lowering;
  const steps = stepsOfNetwork(network);
  const one = [{ shape: [width], time: { start: 1, steps }, code: { kind: 'psp' } }] as const;
  const { params, neurons } = network;
  const made = makeOp({ id, kind: 'neuron', inputs, attrs: { ...attrs, silent }, place }, one, params, neurons);
  invariant(!('problem' in made), `lower: ${id} isn’t a layer of neurons alike`);
  const whole = builder.input(neuronInputs.current, 'f64', folded(steps, [width]));
  const plain = Array.from({ length: steps }, (_, k) => builder.step(whole, k));
  const currents = margin ? withMargin(builder, plain, numberAttr(attrs, 'beta')) : plain;
  const { train } = lowerNeurons(lowering, made, {
    steps,
    take: (m, ratio) => [
      currents.slice(1, m).reduce((sum, next) => builder.add(builder.mul(sum, ratio), next), currents[0]!),
      ...currents.slice(m),
    ],
  });
  if (margin) builder.output(layerOutputs.codes, train.prefix(train.steps));
  else {
    const spikes = Array.from({ length: train.steps }, (_, k) => train.step(k + 1));
    builder.output(layerOutputs.train, builder.at(id).as('train').concat(spikes, 0));
  }
  return builder.build();
}

/** Currents of every step times a margin, the first making up for it; β^(Tc−τ) is what a current at step τ counts in the layer's code. */
function withMargin(builder: ProgramBuilder, currents: readonly Value[], beta: number): readonly Value[] {
  const fed = builder.input(neuronInputs.margin, 'f64', [2]);
  const [margin, rest] = [builder.slice(fed, [0], [1]), builder.slice(fed, [1], [2])];
  const weights = currents.map((_, k) => beta ** (currents.length - 1 - k));
  const sum = currents.map((z, k) => builder.mul(z, weights[k]!)).reduce((a, b) => builder.add(a, b));
  const [first, ...later] = currents.map((z) => builder.mul(z, margin));
  return [builder.add(first!, builder.div(builder.mul(sum, rest), weights[0]!)), ...later];
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
