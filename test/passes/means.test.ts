import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, NetworkBuilder, parseNetwork, printNetwork } from '../../src/network/index.js';
import { runPipeline } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { convertToMeans, meansOf } from '../support/means.js';
import { surroundings } from '../support/sws.js';
import { randomFloatNetwork } from '../support/random-float-network.js';
import { randomImages, randomNetwork } from '../support/random-network.js';

const given = { IF: { start: 0.5 }, MBIF: { start: 0.0625 }, IBRALIF: {} };

/** Mean logits by the compiler's own lowering, in exact arithmetic. */
function logitsOf(spiking: Network, image: Float32Array): number[] {
  const { program } = lower(spiking);
  const shape = spiking.ops[0]!.type.shape;
  return [...evaluate(program, { image: tensor('f32', [1, ...shape], image) }, { precision: 'f64' })['0']!.data];
}

const image = (seed: number): Float32Array => randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);

it('with more steps the mean logits come closer to those of the network itself', () => {
  const network = randomFloatNetwork(11, 2);
  const x = image(3);
  const clippedAt = (steps: number): number => {
    const { clipped, spiking } = convertToMeans(
      network,
      meansOf('IF', given.IF, steps, () => 4),
    );
    const exact = evaluateAnn(clipped, Float64Array.from(x)).get(clipped.outputs[0]!)!;
    return Math.max(...logitsOf(spiking, x).map((v, i) => Math.abs(v - exact[i]!)));
  };
  expect(clippedAt(256)).toBeLessThan(clippedAt(4) / 4);
});

it('the means over the first steps are those of a shorter run', () => {
  const network = randomFloatNetwork(5, 2);
  const x = image(1);
  const long = convertToMeans(network, meansOf('MBIF', given.MBIF, 8)).spiking;
  const short = convertToMeans(network, meansOf('MBIF', given.MBIF, 4)).spiking;
  const { program } = lower(long, { probes: { early: [4] } });
  const shape = long.ops[0]!.type.shape;
  const run = evaluate(program, { image: tensor('f32', [1, ...shape], x) }, { precision: 'f64' });
  const expected = logitsOf(short, x);
  [...run['mean of 4']!.data].forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 9));
});

it('ranges of a quantised network are those of its quantisers, signed quantisers are left out and noted', () => {
  const b = new NetworkBuilder('q');
  const random = randomNetwork(3, 0);
  for (const [name, param] of random.params) b.param(name, param);
  b.add({ id: 'image', kind: 'input', attrs: { shape: [2, 6, 6] } });
  b.add({ id: 'q0', kind: 'quantize', inputs: ['image'], attrs: { scale: 0.02, zero: 114, min: 0, max: 255 } });
  b.param('w', { tensor: tensor('i8', [2, 2, 1, 1], [1, 2, -3, 4]), quant: { scale: [0.1], zero: [0], axis: 0 } });
  const attrs = { kernel: [1, 1], stride: [1, 1], pads: [0, 0, 0, 0], dilation: [1, 1], groups: 1 };
  b.add({ id: 'c', kind: 'conv', inputs: ['q0'], attrs, params: { weight: 'w' } });
  b.add({ id: 'qs', kind: 'quantize', inputs: ['c'], attrs: { scale: 0.1, zero: 0, min: -128, max: 127 } });
  b.add({ id: 'relu', kind: 'relu', inputs: ['qs'] });
  b.add({ id: 'q1', kind: 'quantize', inputs: ['relu'], attrs: { scale: 0.05, zero: 0, min: 0, max: 255 } });
  b.param('w2', { tensor: tensor('i8', [3, 72], new Array(216).fill(1)), quant: { scale: [0.1], zero: [0], axis: 0 } });
  b.add({ id: 'flat', kind: 'flatten', inputs: ['q1'] });
  b.add({ id: 'fc', kind: 'linear', inputs: ['flat'], params: { weight: 'w2' } });
  const { clipped, spiking } = convertToMeans(
    b.finish(['fc']),
    meansOf('IF', given.IF, 4, () => undefined),
  );
  expect(clipped.ops.filter((op) => op.kind === 'clip').map((op) => [op.id, op.attrs['max']])).toEqual([['q1', 12.75]]);
  expect(clipped.notes.join()).toContain('left out 2 quantisers that cut nothing off');
  // integer weights stay integer: only their scale changes
  expect([...spiking.params.values()].filter(({ quant }) => quant !== undefined)).toHaveLength(2);
});

it('prints and parses back', () => {
  const { spiking } = convertToMeans(randomFloatNetwork(4, 3), meansOf('MBIF', given.MBIF, 4));
  const text = printNetwork(spiking);
  expect(printNetwork(parseNetwork({ name: 'x.ir', text }, spiking.params).value!)).toBe(text);
});

function codes(network: Network, options = meansOf('IF', given.IF, 8)): string[] {
  return runPipeline(network, options, surroundings).diagnostics.map((d) => d.code);
}

it('an activation without range is named', () => {
  const network = randomFloatNetwork(2, 1);
  expect(
    codes(
      network,
      meansOf('IF', given.IF, 8, () => undefined),
    ),
  ).toContain('convert/no-range');
});

it('a clip that begins below 0 has no spiking form, and the remedy is said', () => {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [2] } });
  b.param('w', { tensor: tensor('f32', [2, 2], [1, 2, 3, 4]) });
  b.add({ id: 'l', kind: 'linear', inputs: ['x'], params: { weight: 'w' } });
  b.add({ id: 'c', kind: 'clip', inputs: ['l'], attrs: { min: -1, max: 1 } });
  b.add({ id: 'fc', kind: 'linear', inputs: ['c'], params: { weight: 'w' } });
  const { diagnostics } = runPipeline(b.finish(['fc']), meansOf('IF', {}, 16), surroundings);
  expect(diagnostics[0]?.code).toBe('convert/no-spiking-form');
  expect(diagnostics[0]?.help).toContain('a clip that begins at 0');
});

it('ops without a spiking form are named, each once', () => {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [1, 4, 4] } });
  b.add({ id: 's', kind: 'sigmoid', inputs: ['x'] });
  b.add({ id: 'm', kind: 'maxpool', inputs: ['s'], attrs: { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] } });
  b.param('w', { tensor: tensor('f32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) });
  b.add({ id: 'f', kind: 'flatten', inputs: ['m'] });
  b.add({ id: 'fc', kind: 'linear', inputs: ['f'], params: { weight: 'w' } });
  expect(codes(b.finish(['fc']))).toEqual(['convert/no-spiking-form', 'convert/no-spiking-form']);
});

it('neurons that lose the mean of their input are refused by what they compute', () => {
  const network = randomFloatNetwork(2, 1);
  for (const options of [
    meansOf('LIF', {}, 16),
    meansOf('IF', { soft: 0 }, 16),
    meansOf('IF', { theta: 2 }, 16),
    meansOf('IBRALIF', {}, 4),
  ]) {
    expect(codes(network, options)).toEqual(['convert/neuron-loses-mean']);
  }
  for (const options of [meansOf('IF', {}, 16), meansOf('MBIF', {}, 7), meansOf('ILIF', {}, 1)]) {
    expect(codes(network, options)).toEqual([]);
  }
});

it('an output is read out whatever makes it; one that other layers read is refused', () => {
  const ending = (tail: (b: NetworkBuilder) => string[]): Network => {
    const b = new NetworkBuilder('n');
    b.add({ id: 'image', kind: 'input', attrs: { shape: [1, 4, 4] } });
    b.param('w', {
      tensor: tensor(
        'f32',
        [2, 1, 3, 3],
        Array.from({ length: 18 }, (_, i) => ((i * 7) % 5) - 2),
      ),
    });
    const attrs = { kernel: [3, 3], stride: [1, 1], pads: [1, 1, 1, 1], dilation: [1, 1], groups: 1 };
    b.add({ id: 'c', kind: 'conv', inputs: ['image'], attrs, params: { weight: 'w' } });
    b.add({ id: 'r', kind: 'relu', inputs: ['c'] });
    return b.finish(tail(b));
  };
  const pool = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
  const pooled = ending((b) => [b.add({ id: 'm', kind: 'maxpool', inputs: ['r'], attrs: pool })]);
  const clipped = ending((b) => [
    b.add({ id: 's', kind: 'sigmoid', inputs: [b.add({ id: 'f', kind: 'flatten', inputs: ['r'] })] }),
  ]);
  for (const network of [pooled, clipped]) {
    const x = randomImages(1, 1, [1, 4, 4]).map((v) => v / 10);
    const { spiking } = convertToMeans(
      network,
      meansOf('MBIF', given.MBIF, 64, () => 4),
    );
    const found = logitsOf(spiking, x);
    const expected = evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!;
    found.forEach((v, i) => expect(Math.abs(v - expected[i]!)).toBeLessThan(0.02));
  }
  const both = ending((b) => ['c', b.add({ id: 'm', kind: 'maxpool', inputs: ['r'], attrs: pool })]);
  expect(codes(both)).toEqual(['convert/no-spiking-form']);
});

it('a neuron that there isn’t, and one whose arguments or outputs don’t fit, are refused', () => {
  const network = randomFloatNetwork(2, 1);
  const told = (name: string, args: Readonly<Record<string, number>>): readonly (string | undefined)[] => {
    const { diagnostics } = runPipeline(network, meansOf(name, args, 4), surroundings);
    expect(diagnostics.map(({ code }) => code)).toEqual(['pass/neuron']);
    return [diagnostics[0]!.message, diagnostics[0]!.help];
  };
  expect(told('MBIFF', {})).toEqual(['there is no neuron type "MBIFF"', 'did you mean "MBIF"?']);
  expect(told('IF', { strat: 0.5 })).toEqual(['IF has no parameter "strat"', 'did you mean "start"?']);
  expect(told('MBIF', { integer: 1.5 })[0]).toBe("MBIF can't have integer=1.5");
  expect(told('IF', { theta: NaN })[0]).toBe("IF can't have theta=NaN");
  expect(told('LI', {})[0]).toBe('LI has no outputs above 0 in finitely many levels');
  // outputs of both signs, whose mean isn't 0 under a current below 0
  const { diagnostics } = runPipeline(network, meansOf('Ternary', { tau: 1e9 }, 4), surroundings);
  expect(diagnostics.map(({ code }) => code)).toEqual(['convert/neuron-loses-mean']);
});
