import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Network, type Op, learnsBits, opsById, wholeOf } from '../network/index.js';

/** A train of spikes that a synapse reads: what fires it, and how many bits it has. */
export interface SpikeSource {
  /** A layer of neurons, an encoder, a maximum over windows, or the planes of a train. */
  readonly op: Op;
  /** Bits of one spike. */
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
}

const firing: ReadonlySet<string> = new Set(['neuron', 'encode', 'maxprefix', 'maxpool', 'planes']);
/** Ops that give on each spike by itself, as part of the synapse behind them. */
const passing: ReadonlySet<string> = new Set([
  'avgpool',
  'globalavgpool',
  'flatten',
  'reshape',
  'delay',
  'dropout',
  'identity',
]);

/** Whether an op fires spikes of its own: the ops whose trains are measured. */
export function firesSpikes({ kind, type }: Op): boolean {
  return type.code.kind === 'spike' && (firing.has(kind) || kind === 'squeeze');
}

/**
 * The trains behind a value, where it consists of spikes alone: single trains, concatenations, and sums of
 * them (SEW). Nothing for real values and potentials.
 */
export function spikeSources(network: Network): (id: string) => readonly SpikeSource[] | undefined {
  const byId = opsById(network);
  const known = new Map<string, readonly SpikeSource[] | undefined>();
  const find = (id: string): readonly SpikeSource[] | undefined => {
    if (known.has(id)) return known.get(id);
    const op = present(byId.get(id), `cost: no op ${id}`);
    const found = sourcesOf(op);
    known.set(id, found);
    return found;
  };
  const sourcesOf = (op: Op): readonly SpikeSource[] | undefined => {
    const { kind } = op;
    if (kind === 'squeeze') {
      const steps = present(wholeOf(network, op, 'steps'), `cost: ${op.id} has no steps`);
      const squeeze = (train: SpikeSource): SpikeSource => ({
        ...train,
        steps,
        values: steps * train.range + 1,
        squeezed: true,
      });
      return find(op.inputs[0]!)?.map(squeeze);
    }
    if (op.type.code.kind === 'spike' && firing.has(kind)) return [sourceOf(network, op, byId)];
    // a pool with a gain is a synapse of its own: its result is a potential
    if (passing.has(kind) && op.params['gain'] === undefined) return find(op.inputs[0]!);
    if (kind !== 'concat' && kind !== 'add') return undefined;
    const all = op.inputs.map(find);
    const spikes = all.filter((sources) => sources !== undefined);
    return spikes.length === all.length ? [...new Map(spikes.flat().map((s) => [s.op.id, s])).values()] : undefined;
  };
  return find;
}

function sourceOf(network: Network, op: Op, byId: ReadonlyMap<string, Op>): SpikeSource {
  const steps = op.type.time?.steps ?? 1;
  const learned = learnsBits(op) ? wholeOf(network, op, 'bits') : undefined;
  const range = learned === undefined ? rangeOf(op) : 2 ** learned - 1;
  const bits = learned ?? bitsOfRange(range);
  const elements = elementCount(op.type.shape);
  return { op, bits, steps, squeezed: false, elements, range, values: valuesOf(network, op, range, steps, byId) };
}

/** Levels less one. */
function rangeOf({ type: { code } }: Op): number {
  return code.kind === 'spike' || code.kind === 'quant' ? code.max - code.min : Infinity;
}

/** Bits that tell levels apart: 1 for {0,1}, 2 for {−1,0,1}, 8 for 0…255. */
function bitsOfRange(range: number): number {
  return Math.max(1, Math.ceil(Math.log2(range + 1)));
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
