import type { Tensor } from '../base/dtype.js';
import { stepParameter } from '../equations/index.js';
import { present } from '../base/invariant.js';
import { bitsFor } from '../base/quantiser.js';
import { type BitKind, type BitHolder, type BitPenalty, bitHolders, bitKinds } from '../lower/program/index.js';
import {
  type Network,
  type Op,
  learnsBits,
  mostOf,
  paramOf,
  roundedWithin,
  squeezeBehind,
  wholeOf,
  hasWeightMatrix,
} from '../network/index.js';

type States = ReadonlyMap<string, Tensor>;

/** A tensor on a grid with a learned step size: the weights of a synapse, or the membranes of a layer of neurons. */
export interface QuantisedTensor {
  readonly kind: 'weights' | 'spikes';
  readonly op: Op;
  /** The step size's name in the network's parameters. */
  readonly step: string;
  readonly signed: boolean;
  /** Its bits with the parameters of the moment. */
  readonly bits: (states: States) => number;
  /** Of weights: their values of the moment. */
  readonly values: (states: States) => Tensor;
}

/** All of them, in the order of their ops. */
export function quantisedTensors(network: Network): readonly QuantisedTensor[] {
  return network.ops.flatMap((op): QuantisedTensor[] => {
    const values = (states: States): Tensor => {
      const name = present(op.params['weight'], `bits: ${op.id} has no weight`);
      return states.get(name) ?? paramOf(network, op, 'weight').tensor;
    };
    if (hasWeightMatrix(op)) {
      const step = op.params['weight_step'];
      const bits = (states: States): number => bitsNow(network, op, 'weight_bits', states);
      return step === undefined ? [] : [{ kind: 'weights', op, step, signed: true, bits, values }];
    }
    if (op.kind !== 'neuron') return [];
    const role = stepParameter(network.neurons.get(op.attrs.neuron));
    const step = role === undefined ? undefined : op.params[role];
    if (step === undefined) return [];
    if (op.attrs.levels === undefined) return [];
    const [min, max] = op.attrs.levels;
    const signed = min < 0;
    const given = wholeOf(network, op, 'bits') ?? bitsFor(max - min + 1);
    const learns = learnsBits(op);
    const bits = (states: States): number => (learns ? bitsNow(network, op, 'bits', states) : given);
    return [{ kind: 'spikes', op, step, signed, bits, values }];
  });
}

/** round(B̂) of the moment, or fixed bits. */
function bitsNow(network: Network, op: Op, role: string, states: States): number {
  const name = op.params[role];
  const state = name === undefined ? undefined : states.get(name);
  if (state === undefined) return present(wholeOf(network, op, role), `bits: ${op.id} has no ${role}`);
  return roundedWithin(state.data[0]!, mostOf(op, role));
}

/** B̄: the mean of a penalty's bits, weighted as its term of the loss is. */
export function meanBits(network: Network, { kind, ops }: BitPenalty, states: States): number {
  return weightedMean(
    bitHolders(network, kind).filter(({ op }) => ops.includes(op.id)),
    ({ op, role }) => bitsNow(network, op, role, states),
  );
}

function weightedMean(holders: readonly BitHolder[], value: (holder: BitHolder) => number): number {
  const total = holders.reduce((sum, { size }) => sum + size, 0);
  return holders.reduce((sum, holder) => sum + value(holder) * holder.size, 0) / total;
}

/** Bits per layer, and their means: of weights over weights, of spikes and steps over neurons. */
export interface BitRecord {
  readonly weights?: number;
  readonly spikes?: number;
  readonly steps?: number;
  readonly layers: Readonly<Record<string, Partial<Record<BitKind, number>>>>;
}

/** The bits of the moment; undefined for a network in which none is learned. */
export function bitRecord(network: Network, states: States): BitRecord | undefined {
  const layers: Record<string, Partial<Record<BitKind, number>>> = {};
  const means: Partial<Record<BitKind, number>> = {};
  let learned = false;
  for (const kind of bitKinds) {
    const holders = bitHolders(network, kind);
    if (holders.length === 0) continue;
    for (const { op, role } of holders) {
      learned ||= op.params[role] !== undefined;
      // the steps of a train belong to the neurons that it comes from
      const id = op.kind === 'squeeze' ? op.inputs[0]! : op.id;
      layers[id] = { ...layers[id], [kind]: bitsNow(network, op, role, states) };
    }
    means[kind] = weightedMean(holders, ({ op, role }) => bitsNow(network, op, role, states));
  }
  return learned ? { ...means, layers } : undefined;
}

/** Time steps that a layer of neurons counts for: those that the squeeze behind it reads, else all of its train. */
export function stepsOfNeurons(network: Network, op: Op): (states: States) => number {
  const squeeze = squeezeBehind(network, op);
  const steps = op.type.time?.steps ?? 1;
  return squeeze === undefined ? () => steps : (states) => bitsNow(network, squeeze, 'steps', states);
}
