import fc from 'fast-check';
import { expect, it } from 'vitest';
import { costOf, fanOuts } from '../../src/cost/index.js';
import { type Network, type Op, attrsOf } from '../../src/network/index.js';
import { chain, randomNetwork } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';

/** Synapses reached by one neuron, found by following its spike through every window position. */
function reach(network: Network, id: string, index: number): number {
  let total = 0;
  const byId = new Map(network.ops.map((op) => [op.id, op]));
  for (const reader of network.ops) {
    reader.inputs.forEach((input, n) => {
      if (input === id) total += reachThrough(network, byId, reader, n, index);
    });
  }
  return total;
}

function reachThrough(network: Network, byId: ReadonlyMap<string, Op>, reader: Op, n: number, index: number): number {
  const shape = byId.get(reader.inputs[n]!)!.type.shape;
  const size = (of: readonly number[]): number => of.reduce((a, b) => a * b, 1);
  switch (reader.kind) {
    case 'linear':
      return reader.type.shape[0]!;
    case 'affine':
      return 1;
    case 'flatten':
    case 'reshape':
    case 'delay':
      return reach(network, reader.id, index);
    case 'concat': {
      const before = reader.inputs.slice(0, n).reduce((sum, input) => sum + size(byId.get(input)!.type.shape), 0);
      return reach(network, reader.id, before + index);
    }
    case 'globalavgpool':
      return reader.type.code.kind === 'spike'
        ? reach(network, reader.id, Math.floor(index / (shape[1]! * shape[2]!)))
        : 1;
    default:
      break;
  }
  const [height, width] = shape.slice(1) as [number, number];
  const channel = Math.floor(index / (height * width));
  const [y, x] = [Math.floor(index / width) % height, index % width];
  const attr = (name: string): readonly number[] => attrsOf(reader)[name] as readonly number[];
  const [, outHeight, outWidth] = reader.type.shape as [number, number, number];
  const dilation = attr('dilation') ?? [1, 1];
  let total = 0;
  for (let oy = 0; oy < outHeight; oy++)
    for (let ox = 0; ox < outWidth; ox++)
      for (let ky = 0; ky < attr('kernel')[0]!; ky++)
        for (let kx = 0; kx < attr('kernel')[1]!; kx++) {
          const hitY = oy * attr('stride')[0]! - attr('pads')[0]! + ky * dilation[0]!;
          const hitX = ox * attr('stride')[1]! - attr('pads')[1]! + kx * dilation[1]!;
          if (hitY !== y || hitX !== x) continue;
          if (reader.kind === 'conv') total += reader.type.shape[0]! / Number(attrsOf(reader)['groups']);
          else if (reader.kind === 'avgpool' && reader.type.code.kind === 'spike') {
            total += reach(network, reader.id, (channel * outHeight + oy) * outWidth + ox);
          } else total += 1;
        }
  return total;
}

it('fan-out counts the synapses each spike reaches, clipped at borders, through pools and joins', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 3 }), (seed, stages) => {
      const { spiking } = convert(randomNetwork(seed, stages), sws());
      const fanOut = fanOuts(spiking);
      for (const op of spiking.ops.filter(
        ({ kind }) => kind === 'neuron' || kind === 'encode' || kind === 'maxprefix',
      )) {
        const found = [...fanOut(op.id)];
        expect(found, `${op.id} of seed ${seed}`).toEqual(found.map((_, index) => reach(spiking, op.id, index)));
      }
    }),
    { numRuns: 40 },
  );
});

it('costs of a chain are the formulas of the papers', () => {
  const { spiking } = convert(chain(1), sws({ silent: 3 }));
  const { layers, total } = costOf(spiking);
  const [conv, linear] = layers;
  expect(conv).toMatchObject({
    kind: 'conv',
    macs: 2 * 2 * 9 * 36,
    weight_bits: 8,
    spike_bits: 2,
    steps: 8,
    bit_budget: 128,
  });
  expect(linear).toMatchObject({ kind: 'linear', macs: 72 * 3, params: 72 * 3 });
  expect(total.macs).toBe(conv!.macs + linear!.macs);
  expect(total.s_ace).toBe(total.macs * 128);
  expect(total.bit_budget).toBe(128);
  expect(total.latency_steps).toBe(8 + 3);
});
