import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import {
  type KindsOf,
  type Link,
  type Network,
  type Op,
  asImage,
  channelAxisOf,
  consumersOf,
  hasRole,
  isJoinedTrain,
  linksOf,
  macsOf,
  opDef,
  opsById,
  sourceOf,
  traitsOf,
} from '../network/index.js';
import { spikeSources } from './sources.js';

/** Synapse id → how many of its synapses a spike of each neuron reaches, row-major over the neurons' shape. */
export type Reach = ReadonlyMap<string, Float64Array>;

/**
 * Synapses that a spike of each neuron of a layer reaches, in all; see {@link reaches}.
 */
export function fanOuts(network: Network): (id: string) => Float64Array {
  const reachOf = reaches(network);
  const byId = opsById(network);
  return (id) => {
    const total = new Float64Array(elementCount(present(byId.get(id), `cost: no op ${id}`).type.shape));
    for (const part of reachOf(id).values()) for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
    return total;
  };
}

/**
 * Synapses that a spike of each neuron of a layer reaches, by the layer they belong to; windows are clipped at the
 * border. Pools, reshapes, concatenations and sums of spikes pass spikes on: a pooled neuron reaches what its pool
 * reaches. A spike that is added to a potential, or that enters a neuron without a weight, counts once there. A
 * running-maximum pool counts once per window (it compares), then fires its own spikes.
 */
export function reaches(network: Network): (id: string) => Reach {
  const context: Context = {
    consumers: consumersOf(network),
    byId: opsById(network),
    ofSpikes: (id) => sources(id) !== undefined,
    reachOf: (id) => reachOf(id),
  };
  const sources = spikeSources(network);
  const known = new Map<string, Reach>();
  const reachOf = (id: string): Reach => {
    const done = known.get(id);
    if (done !== undefined) return done;
    const total = new Map<string, Float64Array>();
    for (const reader of new Set(present(context.consumers.get(id), `cost: no op ${id}`))) {
      reader.inputs.forEach((input, n) => {
        if (input !== id) return;
        for (const [to, part] of reached(reader, n, context)) merge(total, to, part);
      });
    }
    known.set(id, total);
    return total;
  };
  return reachOf;
}

interface Context {
  readonly consumers: ReadonlyMap<string, readonly Op[]>;
  readonly byId: ReadonlyMap<string, Op>;
  /** Whether a value consists of spikes alone. */
  readonly ofSpikes: (id: string) => boolean;
  readonly reachOf: (id: string) => Reach;
}

function merge(total: Map<string, Float64Array>, to: string, part: Float64Array): void {
  const sum = total.get(to);
  if (sum === undefined) total.set(to, part.slice());
  else for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
}

const none: Reach = new Map();

/** What spikes reach that enter `reader` as its n-th input. */
function reached(reader: Op, n: number, { byId, ofSpikes, reachOf }: Context): Reach {
  const { role } = traitsOf(reader);
  if (hasRole(reader, 'product')) return productReach(reader, n, byId, ofSpikes);
  const reach = isJoinedTrain(reader) ? 'own' : traitsOf(reader).reach;
  const { shape } = byId.get(reader.inputs[n]!)!.type;
  if (reach === 'none' || (reach === 'passed' && !ofSpikes(reader.id))) return none;
  if (reach === 'own' || !ofSpikes(reader.id)) return new Map([[reader.id, ownSynapses(reader, shape, byId)]]);
  const behind = reachOf(reader.id);
  if (role === 'concatenation') return concatReach(reader, n, byId, behind);
  if (hasWindows(reader)) return mapReach(behind, (part) => spread(reader, shape, part));
  return opDef(reader.kind).source === undefined ? behind : mapReach(behind, (part) => scattered(part, reader, shape));
}

/**
 * A product adds, for each spike of the operand that is a train (the first of two, or that in planes), the values of the other
 * operand that it meets (a row or a column of a matrix): one addition a value of the result that it reaches.
 */
function productReach(
  reader: Op<KindsOf<'product'>>,
  n: number,
  byId: Context['byId'],
  ofSpikes: Context['ofSpikes'],
): Reach {
  const { on = reader.inputs.findIndex(ofSpikes) } = reader.attrs;
  if (n !== on) return none;
  const size = elementCount(byId.get(reader.inputs[n]!)!.type.shape);
  const reached = macsOf(reader, byId.get(reader.inputs[0]!)!.type.shape) / size;
  return new Map([[reader.id, new Float64Array(size).fill(reached)]]);
}

function hasWindows({ kind }: Op): boolean {
  return opDef(kind).links !== undefined;
}

/** The synapses of `reader` on each of its inputs: of weights one an output channel that it weighs them for, else one. */
function ownSynapses(reader: Op, shape: readonly number[], byId: ReadonlyMap<string, Op>): Float64Array {
  // where it has one value for many, each spike reaches all of them
  const { macs, role } = traitsOf(reader);
  if (role === 'whole-input' && macs !== 'none') {
    const size = elementCount(shape);
    const input = byId.get(reader.inputs[0]!)!.type.shape;
    return new Float64Array(size).fill(macsOf(reader, input) / size);
  }
  const channels = hasRole(reader, 'weighted') ? reader.type.shape[channelAxisOf(reader)]! / groupsOf(reader) : 1;
  if (!hasWindows(reader)) return new Float64Array(elementCount(shape)).fill(channels);
  const [planes = 1, ...sizes] = asImage(shape);
  const along = sizes.map((size, axis) => counts(linksOf(reader, shape, axis), size));
  const each = elementCount(sizes);
  const reach = new Float64Array(planes * each);
  for (let i = 0; i < each; i++) {
    let rest = i;
    reach[i] = channels;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      reach[i]! *= along[axis]![rest % sizes[axis]!]!;
      rest = Math.floor(rest / sizes[axis]!);
    }
  }
  // every channel of the input has the same geometry
  for (let c = 1; c < planes; c++) reach.copyWithin(c * each, 0, each);
  return reach;
}

function groupsOf({ attrs }: Op<KindsOf<'weighted'>>): number {
  return 'groups' in attrs ? attrs.groups : 1;
}

/** How many links each input has. */
function counts(links: readonly Link[], inputs: number): Float64Array {
  const count = new Float64Array(inputs);
  for (const { input } of links) count[input]!++;
  return count;
}

function mapReach(reach: Reach, change: (part: Float64Array) => Float64Array): Reach {
  return new Map([...reach].map(([to, part]) => [to, change(part)]));
}

/** What each input of an op reaches that moves values, or some of them, of what its outputs reach. */
function scattered(behind: Float64Array, reader: Op, shape: readonly number[]): Float64Array {
  const reach = new Float64Array(elementCount(shape));
  const out = reader.type.shape;
  const place = out.map(() => 0);
  for (const part of behind) {
    const source = sourceOf(reader, shape, place);
    reach[source.reduce((sum, at, axis) => sum * shape[axis]! + at, 0)] = part;
    for (let axis = out.length - 1; axis >= 0 && ++place[axis]! === out[axis]!; axis--) place[axis] = 0;
  }
  return reach;
}

/** The part of what a concatenation reaches that belongs to its n-th input. */
function concatReach({ inputs }: Op, n: number, byId: ReadonlyMap<string, Op>, behind: Reach): Reach {
  const lengths = inputs.map((input) => elementCount(byId.get(input)!.type.shape));
  const start = lengths.slice(0, n).reduce((sum, length) => sum + length, 0);
  return mapReach(behind, (part) => part.subarray(start, start + lengths[n]!));
}

/** What the outputs of windows over each channel reach, at each input that they cover. */
function spread(reader: Op, shape: readonly number[], behind: Float64Array): Float64Array {
  const [channels, height, width] = asImage(shape) as [number, number, number];
  const [, outHeight, outWidth] = asImage(reader.type.shape) as [number, number, number];
  const [rows, columns] = [linksOf(reader, shape, 0), linksOf(reader, shape, 1)];
  const reach = new Float64Array(channels * height * width);
  for (let c = 0; c < channels; c++) {
    for (const row of rows) {
      const to = (c * height + row.input) * width;
      const from = (c * outHeight + row.output) * outWidth;
      for (const column of columns) reach[to + column.input]! += behind[from + column.output]!;
    }
  }
  return reach;
}
