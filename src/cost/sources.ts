import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { bitsFor } from '../base/quantiser.js';
import {
  type Network,
  type Op,
  firesOf,
  learnsBits,
  opsById,
  traitsOf,
  unaryTrains,
  wholeOf,
} from '../network/index.js';

/** A train of spikes that a synapse reads: what fires it, and how many bits it has. */
export interface SpikeSource {
  /** A layer of neurons, an encoder, a maximum over windows, or the planes of a train. */
  readonly op: Op;
  /** Bits of one spike; of one that is sent in unary planes, one (signed: two) a plane. */
  readonly bits: number;
  /** Steps of the train, before it is squeezed. */
  readonly steps: number;
  /** Squeezed into its mean: the synapse behind it acts once. */
  readonly squeezed: boolean;
  /** Neurons. */
  readonly elements: number;
  /** Levels of one spike, less one. */
  readonly range: number;
  /** How many values the whole train can stand for. */
  readonly values: number;
  /** The value of the largest spike: D of T×D. */
  readonly largest: number;
}

/** Which ops fire spikes of their own: those whose trains are measured. */
export function firingOps(network: Network): readonly Op[] {
  const sourcesOf = spikeSources(network);
  return network.ops.filter((op) => {
    const fires = firesOf(op);
    if (fires === 'chosen') return sourcesOf(op.id) !== undefined;
    return fires !== 'none' && op.type.code.kind === 'spike';
  });
}

/**
 * The trains behind a value, where it consists of spikes alone: single trains, concatenations, and sums of
 * them (SEW). Nothing for real values and potentials. A maximum over windows is a train of its own, with the bits and
 * steps of what is in the windows, whether it is squeezed, joined or summed before.
 */
export function spikeSources(network: Network): (id: string) => readonly SpikeSource[] | undefined {
  const byId = opsById(network);
  const isUnary = unaryTrains(network);
  const known = new Map<string, readonly SpikeSource[] | undefined>();
  const find = (id: string): readonly SpikeSource[] | undefined => {
    if (known.has(id)) return known.get(id);
    const op = present(byId.get(id), `cost: no op ${id}`);
    const found = sourcesOf(op);
    known.set(id, found);
    return found;
  };
  const sourcesOf = (op: Op): readonly SpikeSource[] | undefined => {
    const { join, relays } = traitsOf(op);
    const fires = firesOf(op);
    if (fires === 'means') {
      const steps = present(wholeOf(network, op, 'steps'), `cost: ${op.id} has no steps`);
      const squeeze = (train: SpikeSource): SpikeSource => ({
        ...train,
        steps,
        values: steps * train.range + 1,
        squeezed: true,
      });
      return find(op.inputs[0]!)?.map(squeeze);
    }
    if (fires === 'chosen') return maximumOf(op, find(op.inputs[0]!));
    if (op.type.code.kind === 'spike' && fires === 'own') return [sourceOf(network, op, byId, isUnary(op.id))];
    // a pool with a gain is a synapse of its own: its result is a potential
    if (!relays || op.params['gain'] !== undefined) return undefined;
    if (!join) return find(op.inputs[0]!);
    const all = op.inputs.map(find);
    const spikes = all.filter((sources) => sources !== undefined);
    return spikes.length === all.length ? [...new Map(spikes.flat().map((s) => [s.op.id, s])).values()] : undefined;
  };
  return find;
}

/** The train that a maximum over windows fires: where the trains in them differ, the most of their bits and steps. */
function maximumOf(op: Op, trains: readonly SpikeSource[] | undefined): readonly SpikeSource[] | undefined {
  if (trains === undefined) return undefined;
  const most = (value: (train: SpikeSource) => number): number => Math.max(...trains.map(value));
  return [
    {
      op,
      bits: most(({ bits }) => bits),
      steps: most(({ steps }) => steps),
      squeezed: trains.every(({ squeezed }) => squeezed),
      elements: elementCount(op.type.shape),
      range: most(({ range }) => range),
      values: most(({ values }) => values),
      largest: most(({ largest }) => largest),
    },
  ];
}

function sourceOf(network: Network, op: Op, byId: ReadonlyMap<string, Op>, unary: boolean): SpikeSource {
  const steps = op.type.time?.steps ?? 1;
  const learned = learnsBits(op) ? wholeOf(network, op, 'bits') : undefined;
  const range = learned === undefined ? (isSign(network, op) ? 1 : rangeOf(op)) : 2 ** learned - 1;
  const bits = unary ? unaryBits(op, range) : (learned ?? bitsFor(range + 1));
  const elements = elementCount(op.type.shape);
  const values = valuesOf(network, op, range, steps, byId);
  return { op, bits, steps, squeezed: false, elements, range, values, largest: largestOf(op) };
}

/** Signed spikes of one bit are −1 and 1, never 0 (ABA A.4). */
function isSign(network: Network, op: Op): boolean {
  const { code } = op.type;
  if (op.kind !== 'neuron' || code.kind !== 'spike' || code.min !== -1 || code.max !== 1) return false;
  return wholeOf(network, op, 'bits') === 1;
}

/** A plane a level, of 0 and 1, or of −1, 0 and 1. */
function unaryBits({ type: { code } }: Op, range: number): number {
  if (code.kind !== 'spike' || code.min >= 0) return range;
  return 2 * Math.max(code.max, -code.min);
}

function largestOf(op: Op): number {
  const { code } = op.type;
  if (code.kind !== 'spike') return 0;
  // integer codes have left what their step stands for to the weights
  const step = op.kind === 'neuron' && op.attrs.integer_codes === true ? (op.attrs.amplitude ?? 1) : code.step;
  return Math.max(Math.abs(code.min), Math.abs(code.max)) * step;
}

/** Levels less one. */
function rangeOf({ type: { code } }: Op): number {
  return code.kind === 'spike' || code.kind === 'quant' ? code.max - code.min : Infinity;
}

/** Trains that carry means tell T·range + 1 values apart; stepwise weighted ones as many as their codes. */
function valuesOf(network: Network, op: Op, range: number, steps: number, byId: ReadonlyMap<string, Op>): number {
  if (op.kind === 'planes') {
    const from = present(byId.get(op.inputs[0]!), `cost: no op ${op.inputs[0]}`);
    return (from.type.time?.steps ?? 1) * rangeOf(from) + 1;
  }
  if (network.coding?.name !== 'sws') return steps * range + 1;
  const beta = Number(network.coding.args['beta'] ?? 2);
  let most = 0;
  for (let k = 0; k < steps; k++) most = beta * most + 1;
  return most + 1;
}
