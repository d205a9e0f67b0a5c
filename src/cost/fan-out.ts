import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Network, type Op, consumersOf, listAttr, numberAttr, opsById } from '../network/index.js';
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
  const { shape } = byId.get(reader.inputs[n]!)!.type;
  const size = elementCount(shape);
  const own = (reach: Float64Array): Reach => new Map([[reader.id, reach]]);
  switch (reader.kind) {
    case 'conv': {
      const channels = reader.type.shape[0]! / numberAttr(reader.attrs, 'groups');
      return own(spread(reader, shape, () => channels));
    }
    case 'linear':
      return own(new Float64Array(size).fill(reader.type.shape[0]!));
    case 'affine':
    case 'neuron':
    case 'recode':
      return own(new Float64Array(size).fill(1));
    case 'product':
      // of [C,1,1] each spike reaches all neurons of its channel
      return own(new Float64Array(size).fill(elementCount(reader.type.shape) / size));
    case 'maxprefix':
      return own(spread(reader, shape, () => 1));
    case 'avgpool':
      if (!ofSpikes(reader.id)) return own(spread(reader, shape, () => 1));
      return mapReach(reachOf(reader.id), (behind) => spread(reader, shape, (output) => behind[output]!));
    case 'globalavgpool': {
      const area = shape[1]! * shape[2]!;
      if (!ofSpikes(reader.id)) return own(new Float64Array(size).fill(1));
      return mapReach(reachOf(reader.id), (behind) =>
        Float64Array.from({ length: size }, (_, i) => behind[Math.floor(i / area)]!),
      );
    }
    case 'flatten':
    case 'reshape':
    case 'delay':
    case 'planes':
    case 'dropout':
    case 'identity':
      return reachOf(reader.id);
    case 'add':
      return ofSpikes(reader.id) ? reachOf(reader.id) : own(new Float64Array(size).fill(1));
    case 'concat':
      return ofSpikes(reader.id) ? concatReach(reader, n, byId, reachOf(reader.id)) : none;
    default:
      return none;
  }
}

function mapReach(reach: Reach, change: (part: Float64Array) => Float64Array): Reach {
  return new Map([...reach].map(([to, part]) => [to, change(part)]));
}

/** The part of what a concatenation reaches that belongs to its n-th input. */
function concatReach({ inputs }: Op, n: number, byId: ReadonlyMap<string, Op>, behind: Reach): Reach {
  const lengths = inputs.map((input) => elementCount(byId.get(input)!.type.shape));
  const start = lengths.slice(0, n).reduce((sum, length) => sum + length, 0);
  return mapReach(behind, (part) => part.subarray(start, start + lengths[n]!));
}

/** Adds `weight(output position)` to every input position that the output's window covers. */
function spread(reader: Op, shape: readonly number[], weight: (output: number) => number): Float64Array {
  const [channels, height, width] = shape as [number, number, number];
  const [kh, kw] = listAttr(reader.attrs, 'kernel') as [number, number];
  const [sh, sw] = listAttr(reader.attrs, 'stride') as [number, number];
  const [top, left] = listAttr(reader.attrs, 'pads') as [number, number];
  const [dh, dw] = listAttr(reader.attrs, 'dilation', [1, 1]) as [number, number];
  const [, outHeight, outWidth] = reader.type.shape as [number, number, number];
  const perChannel = reader.kind === 'avgpool';
  const reach = new Float64Array(channels * height * width);
  const planes = perChannel ? channels : 1;
  for (let c = 0; c < planes; c++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const amount = weight((c * outHeight + oy) * outWidth + ox);
        for (let i = 0; i < kh; i++) {
          const y = oy * sh - top + i * dh;
          if (y < 0 || y >= height) continue;
          for (let j = 0; j < kw; j++) {
            const x = ox * sw - left + j * dw;
            if (x >= 0 && x < width) reach[(c * height + y) * width + x]! += amount;
          }
        }
      }
    }
  }
  // every channel of a convolution's input has the same geometry
  if (!perChannel) for (let c = 1; c < channels; c++) reach.copyWithin(c * height * width, 0, height * width);
  return reach;
}
