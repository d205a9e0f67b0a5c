import fc from 'fast-check';
import { expect, it } from 'vitest';
import { costOf, fanOuts } from '../../src/cost/index.js';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, NetworkBuilder, type Op, attrsOf } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { imported } from '../frontends/onnx/harness.js';
import { chain, randomNetwork } from '../support/random-network.js';
import { convert, sws } from '../support/sws.js';
import { networkFrom } from '../support/train.js';

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
    case 'transpose':
    case 'slice': {
      // found by moving the numbers 0, 1, 2 … as the op moves spikes
      const numbers = tensor(
        'f32',
        [1, ...shape],
        Float32Array.from({ length: size(shape) }, (_, i) => i),
      );
      const b = new NetworkBuilder('moved');
      b.add({ id: 'x', kind: 'input', attrs: { shape: [...shape] } });
      const moved = b.finish([b.add({ id: 'y', kind: reader.kind, inputs: ['x'], attrs: reader.attrs })]);
      const at = evaluate(lower(moved).program, { x: numbers })['0']!.data.indexOf(index);
      return at === -1 ? 0 : reach(network, reader.id, at);
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

it('spikes that move reach what their places reach, those left out nothing', () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 2, 4, 4]);
  const weights = (name: string, dims: readonly number[]): string =>
    b.floats(name, dims, new Float32Array(dims.reduce((a, n) => a * n, 1)).fill(0.01));
  const image = b.fakeQuant('x', 0.02, 0);
  const cut = b.node('Slice', [image, b.ints('s', [1]), b.ints('e', [4]), b.ints('a', [2]), b.ints('t', [2])]);
  const moved = b.node('Transpose', [cut], { perm: [0, 3, 2, 1] });
  const y = b.fakeQuant(b.node('Conv', [moved, weights('w', [3, 4, 2, 2])]), 0.03, 0);
  b.output(b.node('Gemm', [b.node('Flatten', [y]), weights('f', [2, 3])], { transB: 1 }));
  const { spiking } = convert(imported(b.bytes()).network, sws());
  const encode = spiking.ops.find(({ kind }) => kind === 'encode')!;
  const found = [...fanOuts(spiking)(encode.id)];
  expect(found).toEqual(found.map((_, index) => reach(spiking, encode.id, index)));
  expect(found.filter((n) => n === 0)).toHaveLength(16);
  expect(Math.max(...found)).toBe(3);
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

it('over three axes: a spike reaches the outputs that a one in its place changes', () => {
  const layer = 'conv(4, kernel: [2, 3, 2], stride: [1, 2, 1], pad: [1, 0, 1], groups: 2, bias: false)';
  const spiking = networkFrom(`
    use "spikec/neurons" { LIF }
    network N { input x: real[2, 3, 4, 3]  s = x | spike  output s | ${layer} | flatten | linear(2) }
    config c { network N neuron LIF coding direct(steps: 1) }`);
  const alone = networkFrom(`network N { input x: real[2, 3, 4, 3]  output x | ${layer} } config c { network N }`);
  const ones = new Map(
    [...alone.params].map(
      ([
        name,
        {
          tensor: { shape, data },
        },
      ]) => [name, { tensor: tensor('f32', shape, new Float32Array(data.length).fill(1)) }],
    ),
  );
  const { program } = lower({ ...alone, params: ones });
  const found = fanOuts(spiking)('s.spike');
  expect(found).toHaveLength(72);
  found.forEach((reached, i) => {
    const x = new Float32Array(72);
    x[i] = 1;
    const y = evaluate(program, { x: tensor('f32', [1, 2, 3, 4, 3], x) })['0']!.data;
    expect(reached, String(i)).toBe([...y].reduce((sum, v) => sum + v, 0));
  });
});
