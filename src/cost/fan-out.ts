import { elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Network, type Op, consumersOf, listAttr, numberAttr, opsById } from '../network/index.js';

/**
 * Synapses that a spike of each neuron of a layer reaches, row-major over the layer's shape; windows
 * are clipped at the border. Pools and reshapes pass spikes on: a pooled neuron reaches what its pool
 * reaches. A running-maximum pool counts once per window (it compares), then fires its own spikes.
 */
export function fanOuts(network: Network): (id: string) => Float64Array {
  const consumers = consumersOf(network);
  const byId = opsById(network);
  const known = new Map<string, Float64Array>();
  const fanOut = (id: string): Float64Array => {
    const done = known.get(id);
    if (done !== undefined) return done;
    const { shape } = present(byId.get(id), `cost: no op ${id}`).type;
    const total = new Float64Array(elementCount(shape));
    for (const reader of consumers.get(id)!) {
      const part = reached(reader, id, shape, byId, fanOut);
      for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
    }
    known.set(id, total);
    return total;
  };
  return fanOut;
}

function reached(
  reader: Op,
  id: string,
  shape: readonly number[],
  byId: ReadonlyMap<string, Op>,
  fanOut: (id: string) => Float64Array,
): Float64Array {
  const size = elementCount(shape);
  switch (reader.kind) {
    case 'conv': {
      const channels = reader.type.shape[0]! / numberAttr(reader.attrs, 'groups');
      return spread(reader, shape, () => channels);
    }
    case 'linear':
      return new Float64Array(size).fill(reader.type.shape[0]!);
    case 'affine':
      return new Float64Array(size).fill(1);
    case 'maxprefix':
      return spread(reader, shape, () => 1);
    case 'avgpool':
    case 'globalavgpool': {
      const behind = reader.type.code.kind === 'spike' ? fanOut(reader.id) : undefined;
      if (reader.kind === 'globalavgpool') {
        const area = shape[1]! * shape[2]!;
        return Float64Array.from({ length: size }, (_, i) => behind?.[Math.floor(i / area)] ?? 1);
      }
      return spread(reader, shape, (output) => behind?.[output] ?? 1);
    }
    case 'flatten':
    case 'reshape':
    case 'delay':
    case 'planes':
      return fanOut(reader.id);
    case 'concat': {
      let start = 0;
      for (const input of reader.inputs) {
        const length = elementCount(byId.get(input)!.type.shape);
        if (input === id) return fanOut(reader.id).subarray(start, start + length);
        start += length;
      }
      return new Float64Array(size);
    }
    default:
      return new Float64Array(size);
  }
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
