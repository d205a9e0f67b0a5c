import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { costOf } from '../../src/cost/index.js';
import type { PlaneForm } from '../../src/equations/index.js';
import { libraryNeurons } from '../../src/workspace/files.js';
import { lower } from '../../src/lower/program/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { checkModel } from '../../src/model/index.js';
import { type Network, NetworkBuilder, parseNetwork, printNetwork, attrsOf } from '../../src/network/index.js';
import { configure, pipelines, runPipeline } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { convertToMeans, meansOf } from '../support/means.js';
import { passNamed, surroundings } from '../support/sws.js';
import { expectBinary, expectClose, logitsOf, runPasses as run, withRandomNorms } from '../support/planes.js';
import { randomFloatNetwork } from '../support/random-float-network.js';
import { randomImages, seeded } from '../support/random-network.js';
import { testLoader } from '../support/spike.js';

const neurons = [
  ['MBIF', { start: 0.0625 }, 3],
  ['MBIF', { integer: 2, fraction: 0, start: 0.5 }, 2],
  ['IBRALIF', {}, 1],
  ['IBRALIF', { D: 5.11, N: 100 }, 1],
] as const;

it.each(neurons)(
  '%s %o: planes give the logits of the multi-bit network, and so does fusing them',
  (name, args, steps) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 3 }), (seed, stages) => {
        const { spiking } = convertToMeans(randomFloatNetwork(seed, stages), meansOf(name, args, steps));
        const planes = run(spiking, 'planes');
        expect(planes.ops.some((op) => op.kind === 'planes')).toBe(true);
        expectBinary(planes);
        const fused = run(planes, 'fuse');
        expect(fused.ops.filter((op) => op.kind === 'planes' || op.kind === 'gather')).toEqual([]);
        const image = randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);
        const expected = logitsOf(spiking, image, 'f64');
        expectClose(logitsOf(planes, image, 'f64'), expected, 1e-5);
        expectClose(logitsOf(fused, image, 'f64'), expected, 1e-5);
      }),
      { numRuns: 6 },
    );
  },
  240_000,
);

/** Integer weights and neurons that fire 0 … 15, or −8 … 7 (`signed`): every number is an integer. */
function integerNetwork(seed: number, signed = false, form: PlaneForm = 'binary'): Network {
  const random = seeded(seed);
  const b = new NetworkBuilder('integers');
  const name = signed ? 'Refined' : form === 'unary' ? 'ILIF' : 'IBLIF';
  const { planes: _planes, ...def } = libraryNeurons().get(name)!;
  b.neuron({ ...def, ...(form === 'unary' ? { planes: form } : {}) });
  const whole = (shape: readonly number[], size: number) => ({
    tensor: tensor(
      'f32',
      shape,
      Array.from({ length: shape.reduce((x, y) => x * y, 1) }, () => Math.round(size * (2 * random() - 1))),
    ),
  });
  b.add({ id: 'image', kind: 'input', attrs: { shape: [2, 4, 4] } });
  b.add({ id: 'encode', kind: 'encode', inputs: ['image'], attrs: { coding: 'direct', steps: 3 } });
  const conv = (id: string, from: string): void => {
    b.param(`${id}.w`, whole([2, 2, 3, 3], 9));
    b.param(`${id}.b`, whole([2], 5));
    const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    b.add({ id, kind: 'conv', inputs: [from], attrs, params: { weight: `${id}.w`, bias: `${id}.b` } });
  };
  const spikes = (id: string, from: string): void => {
    const attrs = signed
      ? { neuron: 'Refined', bits: 4, theta: 1, signed: 1, rounding: 1, levels: [-8, 7], amplitude: 1 }
      : { neuron: name, D: 15, alpha: 1, levels: [0, 15], amplitude: 1 };
    b.add({ id, kind: 'neuron', inputs: [from], attrs });
  };
  conv('c1', 'encode');
  spikes('s1', 'c1');
  conv('c2', 's1');
  b.add({ id: 'sum', kind: 'add', inputs: ['c2', 's1'] });
  spikes('s2', 'sum');
  b.add({ id: 'pool', kind: 'maxpool', inputs: ['s2'], attrs: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } });
  b.add({ id: 'both', kind: 'concat', inputs: ['pool', 'pool'] });
  b.add({ id: 'flat', kind: 'flatten', inputs: ['both'] });
  b.param('fc.w', whole([3, 16], 9));
  b.add({ id: 'fc', kind: 'linear', inputs: ['flat'], params: { weight: 'fc.w' } });
  b.add({ id: 'out', kind: 'decode', inputs: ['fc'], attrs: { coding: 'direct' } });
  return b.finish(['out'], { name: 'direct', args: { steps: 3 } });
}

it('on integers, planes and fused planes are equal to the multi-bit network bit for bit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (seed) => {
      const network = integerNetwork(seed);
      const image = randomImages(seed, 1, [2, 4, 4]).map(Math.round);
      const expected = logitsOf(network, image);
      const planes = run(network, 'planes');
      expectBinary(planes);
      expect(logitsOf(planes, image)).toEqual(expected);
      expect(logitsOf(run(planes, 'fuse'), image)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

it.each([false, true])('in unary planes a code is as many ones, equal bit for bit (signed: %s)', (signed) => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (seed) => {
      const network = integerNetwork(seed, signed, 'unary');
      const image = randomImages(seed, 1, [2, 4, 4]).map(Math.round);
      const planes = run(network, 'planes');
      const count = signed ? 8 : 15;
      const split = planes.ops.filter(({ kind }) => kind === 'planes');
      expect(split.map((op) => [op.id, attrsOf(op)['bits'], attrsOf(op)['unary']])).toEqual([
        ['s1.planes', count, true],
        ['pool.planes', count, true],
      ]);
      const { program } = lower(planes, { probes: { trains: (id) => id.startsWith('s1') } });
      const trains = evaluate(program, { image: tensor('f32', [1, 2, 4, 4], image) });
      const [codes, ones] = [trains['train s1']!.data, trains['train s1.planes']!.data];
      const size = codes.length / 3;
      codes.forEach((code, i) => {
        const [t, n] = [Math.floor(i / size), i % size];
        const own = Array.from({ length: count }, (_, plane) => ones[(count * t + plane) * size + n]!);
        expect(own).toEqual(own.map((_, plane) => (plane < Math.abs(code) ? Math.sign(code) : 0)));
        seen.add(code);
      });
      const expected = logitsOf(network, image);
      expect(logitsOf(planes, image)).toEqual(expected);
      const fused = run(planes, 'fuse');
      expect(printNetwork(fused)).not.toMatch(/%.*unary/);
      expect(logitsOf(fused, image)).toEqual(expected);
      expect(printNetwork(parseNetwork({ name: 'x.ir', text: printNetwork(planes) }, planes.params).value!)).toBe(
        printNetwork(planes),
      );
    }),
    { numRuns: 10 },
  );
  expect(seen.has(signed ? -8 : 15)).toBe(true);
});

it('trains of the same number of planes but of two forms are joined as values', () => {
  const text = `use "spikec/neurons" { IBLIF, ILIF }
    network N {
      input image: real[1, 4, 4]
      unary  = image | spike(ILIF(D: 3, alpha: 1))
      binary = image | spike(IBLIF(D: 7, alpha: 1))
      output concat(unary, binary) | spike(IBLIF(D: 15, alpha: 1)) | flatten | linear(2)
    }
    config c { network N  neuron ILIF  coding direct(steps: 2) }`;
  const model = checkModel({ name: 'm.spike', text }, testLoader());
  const network = run(lowerModel(model.value!.configs.get('c')!, { seed: 1 }).value!, 'ann');
  const image = randomImages(4, 1, [1, 4, 4]).map((v) => 4 * v);
  const planes = run(network, 'planes');
  const split = planes.ops.filter(({ kind }) => kind === 'planes');
  expect(split.map((op) => [attrsOf(op)['bits'], attrsOf(op)['unary']])).toEqual([
    [3, true],
    [3, undefined],
    [4, undefined],
  ]);
  expectClose(logitsOf(planes, image), logitsOf(network, image), 1e-6);
});

it('signed codes become ternary planes, equal bit for bit', () => {
  let negative = false;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (seed) => {
      const network = integerNetwork(seed, true);
      const image = randomImages(seed, 1, [2, 4, 4]).map(Math.round);
      const expected = logitsOf(network, image);
      const planes = run(network, 'planes');
      const split = planes.ops.filter(({ kind }) => kind === 'planes');
      expect(split.map((op) => [op.id, attrsOf(op)['bits']])).toEqual([
        ['s1.planes', 4],
        ['pool.planes', 4],
      ]);
      for (const { type } of split) expect(type.code).toEqual({ kind: 'spike', min: -1, max: 1, step: 1 });
      const feed = { image: tensor('f32', [1, 2, 4, 4], image) };
      const { program } = lower(planes, { probes: { trains: (id) => id.startsWith('s1') } });
      const trains = evaluate(program, feed);
      const [codes, bits] = [trains['train s1']!.data, trains['train s1.planes']!.data];
      const size = codes.length / 3;
      codes.forEach((code, i) => {
        const [t, n] = [Math.floor(i / size), i % size];
        const own = [0, 1, 2, 3].map((plane) => bits[(4 * t + plane) * size + n]!);
        expect(own.every((bit) => Math.abs(bit) <= 1)).toBe(true);
        expect(own.reduce((sum, bit, plane) => sum + bit * 2 ** plane, 0)).toBe(code);
        if (code === -8) negative = true;
      });
      expect(logitsOf(planes, image)).toEqual(expected);
      expect(logitsOf(run(planes, 'fuse'), image)).toEqual(expected);
    }),
    { numRuns: 20 },
  );
  expect(negative).toBe(true);
});

it.each([false, true])('a train that was not split is refused where it meets a synapse (signed: %s)', (signed) => {
  const { diagnostics } = runPipeline(integerNetwork(1, signed), [passNamed('verify-planes')], surroundings);
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual(
    [
      ['conv %c2', 's1'],
      ['linear %fc', 'pool'],
    ].map(
      ([op, train]) =>
        `convert/not-in-planes: ${op} reads spikes of %${train} with levels ${signed ? '-8…7' : '0…15'}, ` +
        'which have no binary planes',
    ),
  );
});

it('weights take over the step; cost counts one bit in T·B steps', () => {
  const { spiking } = convertToMeans(randomFloatNetwork(3, 2), meansOf('MBIF', { start: 0.0625 }, 4));
  const planes = run(spiking, 'planes');
  const [before, after] = [costOf(spiking), costOf(planes)];
  for (const layer of after.layers.filter(({ spike_bits }) => spike_bits === 1)) {
    const same = before.layers.find(({ id }) => id === layer.id)!;
    expect([same.spike_bits, same.steps]).toEqual([4, 4]);
    expect(layer.steps).toBe(16);
    expect(layer.s_ace).toBe(same.s_ace);
  }
  expect(after.total.latency_steps).toBe(16);
  for (const op of planes.ops) if (op.kind === 'neuron') expect(op.type.code).toMatchObject({ max: 15, step: 1 });
});

it('splitting a network of planes again changes nothing', () => {
  const { spiking } = convertToMeans(randomFloatNetwork(3, 2), meansOf('MBIF', { start: 0.0625 }, 2));
  for (const network of [spiking, integerNetwork(1), run(trained('MBLIF', 2, 1), 'ann')]) {
    const planes = run(network, 'planes');
    expect(planes.ops.some((op) => op.kind === 'planes')).toBe(true);
    expect(printNetwork(run(planes, 'planes'))).toBe(printNetwork(planes));
  }
});

it('prints and parses back', () => {
  const planes = run(integerNetwork(1), 'planes');
  const text = printNetwork(planes);
  expect(printNetwork(parseNetwork({ name: 'x.ir', text }, planes.params).value!)).toBe(text);
});

it('levels that are no power of two are remarked on, and still exact', () => {
  const { spiking } = convertToMeans(randomFloatNetwork(3, 1), meansOf('IBLIF', { D: 4 }, 1));
  const result = runPipeline(spiking, configure(pipelines.planes, {}), surroundings);
  expect(result.diagnostics.map((d) => [d.code, d.severity])).toEqual([['convert/planes-not-full', 'warning']]);
  const image = randomImages(3, 1, [2, 6, 6]);
  expectClose(logitsOf(result.network!, image, 'f64'), logitsOf(spiking, image, 'f64'), 1e-9);
});

it('binary networks stay as they are', () => {
  const { spiking } = convertToMeans(randomFloatNetwork(3, 2), meansOf('IF', { start: 0.5 }, 4));
  expect(printNetwork(run(spiking, 'planes'))).toBe(printNetwork(spiking));
});

/** A residual network with a given neuron, initial weights and batch norms that are anything but the identity. */
function trained(neuron: string, steps: number, seed: number): Network {
  const text = `use "spikec/blocks" { BasicBlock, SewBlock }
    use "spikec/neurons" { MBLIF, IBRALIF, IBLIF, ILIF, MLF }
    network Small {
      input image: real[2, 6, 6]
      stem = image | conv(4, kernel: 3) | batchnorm | spike | maxpool(2)
      body = stem | BasicBlock(4) | SewBlock(4)
      output body | spike | global_avgpool | flatten | linear(3)
    }
    config c { network Small  neuron ${neuron}  coding direct(steps: ${steps}) }`;
  const model = checkModel({ name: 'small.spike', text }, testLoader());
  return withRandomNorms(lowerModel(model.value!.configs.get('c')!, { seed }).value!, seed);
}

/** Outputs of the last layer of neurons, in total. */
function spikesOf(network: Network, image: Float32Array): number {
  const feed = { image: tensor('f32', [1, ...network.ops[0]!.type.shape], image) };
  const last = network.ops.findLast((op) => op.kind === 'neuron')!;
  const { program } = lower(network, { probes: { trains: (id) => id === last.id } });
  return [...evaluate(program, feed)[`train ${last.id}`]!.data].reduce((a, b) => a + b, 0);
}

it.each([
  'MBLIF(integer: 2, fraction: 1)',
  'MBLIF(integer: 1, fraction: 2, soft: true)',
  'IBRALIF',
  'IBLIF(D: 7)',
  'ILIF(D: 7)',
  'MLF',
])(
  '%s: the inference form of a trained network gives the logits of its training form',
  (neuron) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 3 }), (seed, steps) => {
        const network = trained(neuron, steps, seed);
        const image = randomImages(seed, 1, [2, 6, 6]);
        const expected = logitsOf(network, image, 'f64');
        expect(spikesOf(network, image)).toBeGreaterThan(10);
        const planes = run(run(network, 'ann'), 'planes');
        expectBinary(planes);
        expect(planes.ops.some((op) => op.kind === 'planes')).toBe(true);
        expectClose(logitsOf(planes, image, 'f64'), expected, 1e-5);
        expectClose(logitsOf(run(planes, 'fuse'), image, 'f64'), expected, 1e-5);
      }),
      { numRuns: 5 },
    );
  },
  240_000,
);
