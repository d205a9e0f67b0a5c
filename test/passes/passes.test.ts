import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, type Op, NetworkBuilder, printNetwork, attrsOf } from '../../src/network/index.js';
import { quantizeValue, runPipeline } from '../../src/passes/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { seeded } from '../support/random-network.js';
import { passNamed, surroundings, sws } from '../support/sws.js';

type PassName = Parameters<typeof passNamed>[0];

function run(network: Network, ...names: readonly PassName[]): Network {
  const result = runPipeline(network, names.map(passNamed), surroundings);
  expect(result.diagnostics).toEqual([]);
  return result.network!;
}

function codes(network: Network, ...names: readonly PassName[]): string[] {
  const conversion = names.length === 0 ? sws() : names.map(passNamed);
  return runPipeline(network, conversion, surroundings).diagnostics.map((d) => `${d.code}: ${d.message}`);
}

/** The op lines of the text form, without params. */
function lines(network: Network): string[] {
  return printNetwork(network)
    .split('\n')
    .filter((line) => line.trim().startsWith('%'))
    .map((line) => line.trim().replaceAll(/ +/g, ' '));
}

function logits(network: Network, shape: readonly number[]): number[] {
  const random = seeded(5);
  const count = 2 * shape.reduce((a, b) => a * b, 1);
  const image = tensor(
    'f32',
    [2, ...shape],
    Array.from({ length: count }, () => random() * 4 - 2),
  );
  return [...evaluate(lower(network, { precision: 'f64' }).program, { x: image })['0']!.data];
}

const window = (kernel: number, pad: number): Op['attrs'] => ({
  kernel: [kernel, kernel],
  stride: [1, 1],
  pads: [pad, pad, pad, pad],
});
const convWindow = (kernel: number, pad: number): Op['attrs'] => ({
  ...window(kernel, pad),
  dilation: [1, 1],
  groups: 1,
});
const eightBits = { scale: 0.1, zero: 0, min: 0, max: 255 };

function builder(shape: readonly number[]): NetworkBuilder {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape } });
  return b;
}

function random(count: number, seed = 1): number[] {
  const next = seeded(seed);
  return Array.from({ length: count }, () => next() - 0.5);
}

it('canonicalise: identities and dropout go, zero pads move into the windows behind them', () => {
  const b = builder([1, 4, 4]);
  b.add({ id: 'i', kind: 'identity', inputs: ['x'] });
  b.add({ id: 'p', kind: 'pad', inputs: ['i'], attrs: { pads: [1, 0, 0, 1], value: 0 } });
  b.param('w', { tensor: tensor('f32', [1, 1, 3, 3], random(9)) });
  b.add({ id: 'c', kind: 'conv', inputs: ['p'], attrs: convWindow(3, 1), params: { weight: 'w' } });
  b.add({ id: 'd', kind: 'dropout', inputs: ['c'], attrs: { rate: 0.5 } });
  b.add({ id: 'r', kind: 'clip', inputs: ['d'], attrs: { min: 0, max: Number.MAX_VALUE } });
  const before = b.finish(['r']);
  const after = run(before, 'canonicalise');
  expect(lines(after)).toEqual([
    '%x = input {shape=[1, 4, 4]} : real[1,4,4]',
    '%c = conv %x {kernel=[3, 3], stride=[1, 1], pads=[2, 1, 1, 2], dilation=[1, 1], groups=1} (weight=w) : real[1,5,5]',
    '%r = relu %c : real[1,5,5]',
  ]);
  expect(logits(after, [1, 4, 4])).toEqual(logits(before, [1, 4, 4]));
});

it('canonicalise: a pad as large as the pool behind it stays an op of its own', () => {
  for (const kind of ['avgpool', 'maxpool'] as const) {
    const padded = (pads: readonly number[]) => {
      const b = new NetworkBuilder('padded');
      b.add({ id: 'x', kind: 'input', attrs: { shape: [1, 4, 4] } });
      b.add({ id: 'q', kind: 'quantize', inputs: ['x'], attrs: { scale: 0.1, zero: 0, min: 0, max: 255 } });
      b.add({ id: 'p', kind: 'pad', inputs: ['q'], attrs: { pads: [...pads], value: 0 } });
      const window = { kernel: [2, 2], stride: [2, 2], pads: [0, 0, 0, 0] };
      b.add({ id: 'y', kind, inputs: ['p'], attrs: kind === 'avgpool' ? { ...window, include_pad: false } : window });
      return b.finish(['y']);
    };
    const small = run(padded([1, 1, 1, 1]), 'canonicalise').ops.map((op) => op.kind);
    expect(small).toEqual(['input', 'quantize', kind]);
    const large = padded([2, 2, 2, 2]);
    expect(run(large, 'canonicalise').ops.map((op) => op.kind)).toEqual(['input', 'quantize', 'pad', kind]);
    expect(logits(run(large, 'canonicalise'), [1, 4, 4])).toEqual(logits(large, [1, 4, 4]));
  }
});

it('canonicalise: a pad before max pooling stays where a value may be negative', () => {
  const padded = (zero: number): Network => {
    const b = builder([1, 4, 4]);
    b.add({ id: 'q', kind: 'quantize', inputs: ['x'], attrs: { ...eightBits, zero } });
    b.add({ id: 'p', kind: 'pad', inputs: ['q'], attrs: { pads: [1, 1, 1, 1], value: 0 } });
    b.add({ id: 'm', kind: 'maxpool', inputs: ['p'], attrs: window(2, 0) });
    return b.finish(['m']);
  };
  expect(run(padded(0), 'canonicalise').ops.map((op) => op.kind)).toEqual(['input', 'quantize', 'maxpool']);
  expect(run(padded(100), 'canonicalise').ops.map((op) => op.kind)).toContain('pad');
  expect(logits(run(padded(0), 'canonicalise'), [1, 4, 4])).toEqual(logits(padded(0), [1, 4, 4]));
});

it('fold-batchnorm: γ/√(σ²+ε) goes into weights, or into the scales of quantised ones', () => {
  for (const quantised of [false, true]) {
    const b = builder([2, 3, 3]);
    const shape = [3, 2, 1, 1];
    b.param(
      'w',
      quantised
        ? { tensor: tensor('i8', shape, [1, -2, 3, 4, -5, 6]), quant: { scale: [0.5], zero: [1], axis: 0 } }
        : { tensor: tensor('f32', shape, random(6)) },
    );
    b.add({ id: 'c', kind: 'conv', inputs: ['x'], attrs: convWindow(1, 0), params: { weight: 'w' } });
    const norm = Object.fromEntries(
      ['gamma', 'beta', 'mean', 'variance'].map((role, n) => {
        const values = role === 'variance' ? [0.5, 1, 2] : random(3, n + 3);
        return [role, b.param(`bn.${role}`, { tensor: tensor('f32', [3], values) })];
      }),
    );
    b.add({ id: 'bn', kind: 'batchnorm', inputs: ['c'], attrs: { epsilon: 1e-5 }, params: norm });
    const before = b.finish(['bn']);
    const after = run(before, 'fold-batchnorm');
    expect(after.ops.map((op) => op.kind)).toEqual(['input', 'conv']);
    // the layer had no bias of its own
    expect(attrsOf(after.ops[1]!)['folded_bias']).toBe(true);
    expect([...after.params.values()].some(({ quant }) => quant !== undefined)).toBe(quantised);
    const expected = logits(before, [2, 3, 3]);
    logits(after, [2, 3, 3]).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
  }
});

it('fold-batchnorm: without a synapse before it, an affine stands in its place', () => {
  const b = builder([2, 3, 3]);
  const roles = ['gamma', 'beta', 'mean', 'variance'];
  const params = Object.fromEntries(
    roles.map((role) => [role, b.param(role, { tensor: tensor('f32', [2], [1.5, 0.5]) })]),
  );
  b.add({ id: 'bn', kind: 'batchnorm', inputs: ['x'], attrs: { epsilon: 0 }, params });
  const before = b.finish(['bn']);
  const after = run(before, 'fold-batchnorm');
  expect(after.ops.map((op) => op.kind)).toEqual(['input', 'affine']);
  const expected = logits(before, [2, 3, 3]);
  logits(after, [2, 3, 3]).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6));
});

it('quantiser-regions: relu, clip and max pooling commute with the quantiser behind them', () => {
  const b = builder([1, 4, 4]);
  b.add({ id: 'r', kind: 'relu', inputs: ['x'] });
  b.add({ id: 'm', kind: 'maxpool', inputs: ['r'], attrs: window(2, 0) });
  b.add({ id: 'c', kind: 'clip', inputs: ['m'], attrs: { min: -1, max: 1 } });
  b.add({
    id: 'q',
    kind: 'quantize',
    inputs: ['c'],
    attrs: { scale: 0.1, zero: 100, min: 0, max: 255 },
    origin: 'codes',
  });
  const before = b.finish(['q']);
  const after = run(before, 'quantiser-regions');
  expect(lines(after)).toEqual([
    '%x = input {shape=[1, 4, 4]} : real[1,4,4]',
    '%q = quantize %x {scale=0.1, zero=100, min=100, max=110} : quant{100..110, scale=0.1, zero=100}[1,4,4]',
    '%m = maxpool %q {kernel=[2, 2], stride=[1, 1], pads=[0, 0, 0, 0]} : quant{100..110, scale=0.1, zero=100}[1,3,3] from "codes"',
  ]);
  expect(logits(after, [1, 4, 4])).toEqual(logits(before, [1, 4, 4]));
});

it('quantiser-regions: a relu read elsewhere too is kept for the others', () => {
  const b = builder([1, 2, 2]);
  b.add({ id: 'r', kind: 'relu', inputs: ['x'] });
  b.add({ id: 'q', kind: 'quantize', inputs: ['r'], attrs: eightBits });
  const after = run(b.finish(['q', 'r']), 'quantiser-regions');
  expect(after.ops.map((op) => op.id)).toEqual(['x', 'r', 'q']);
  expect(after.ops.at(-1)!.inputs).toEqual(['x']);
});

it('quantizeValue rounds half to even and saturates', () => {
  const q = (x: number): number => quantizeValue(x, 1, 10, 0, 20);
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 99, -99, Infinity, -Infinity].map(q)).toEqual([10, 12, 12, 10, 8, 20, 0, 20, 0]);
});

/** image → quantise → `build` */
function after(build: (b: NetworkBuilder) => string, shape: readonly number[] = [1, 4, 4]): Network {
  const b = builder(shape);
  b.add({ id: 'q0', kind: 'quantize', inputs: ['x'], attrs: eightBits });
  b.param('w', {
    tensor: tensor('i8', [1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    quant: { scale: [0.1], zero: [0], axis: 0 },
  });
  return b.finish([build(b)]);
}
const conv = (b: NetworkBuilder, id: string, input: string): string =>
  b.add({ id, kind: 'conv', inputs: [input], attrs: convWindow(3, 1), params: { weight: 'w' } });

it('values that no quantiser follows: carried in digits for β = 2, refused by name for others', () => {
  const refused = (build: (b: NetworkBuilder) => string): string[] => {
    expect(codes(after(build)).filter((code) => !code.startsWith('convert/code-products'))).toEqual([]);
    const { diagnostics } = runPipeline(after(build), sws({ beta: 1.5, steps: 16 }), surroundings);
    expect(diagnostics.every(({ help }) => help!.includes('--beta 2'))).toBe(true);
    return diagnostics.map((d) => `${d.code}: ${d.message}`);
  };
  expect(refused((b) => conv(b, 'c2', conv(b, 'c1', 'q0')))).toEqual([
    'convert/no-quantiser: conv %c2 reads %c1, which has no quantiser',
  ]);
  expect(refused((b) => conv(b, 'c2', b.add({ id: 'r', kind: 'relu', inputs: [conv(b, 'c1', 'q0')] })))).toEqual([
    'convert/nonlinearity: relu %r isn’t followed by a quantiser, but by conv %c2',
  ]);
  const gated = (b: NetworkBuilder): string =>
    conv(b, 'c2', b.add({ id: 's', kind: 'mul', inputs: ['q0', b.add({ id: 'g', kind: 'sigmoid', inputs: ['q0'] })] }));
  expect(refused(gated)).toEqual(['convert/nonlinearity: mul %s isn’t followed by a quantiser, but by conv %c2']);
  const hardswish = (b: NetworkBuilder): string =>
    conv(b, 'c2', b.add({ id: 'f', kind: 'function', inputs: ['q0'], attrs: { name: 'hardswish' } }));
  expect(refused(hardswish)).toEqual([
    'convert/nonlinearity: hardswish %f isn’t followed by a quantiser, but by conv %c2',
  ]);
});

it('refuses a float network, and a network whose input isn’t quantised', () => {
  const float = builder([1, 4, 4]);
  float.param('w', { tensor: tensor('f32', [1, 1, 3, 3], random(9)) });
  conv(float, 'c', 'x');
  expect(codes(float.finish(['c']))[0]).toMatch(/^convert\/float-network/);
  const late = builder([1, 4, 4]);
  late.param('w', { tensor: tensor('f32', [1, 1, 3, 3], random(9)) });
  conv(late, 'c', 'x');
  late.add({ id: 'q', kind: 'quantize', inputs: ['c'], attrs: eightBits });
  conv(late, 'd', 'q');
  expect(codes(late.finish(['d']))).toEqual([
    'convert/input-not-quantised: conv %c reads the real input; the network has to quantise its input first',
  ]);
});

it('refuses max pooling for β ≠ 2', () => {
  const network = after((b) => conv(b, 'c', b.add({ id: 'm', kind: 'maxpool', inputs: ['q0'], attrs: window(2, 0) })));
  const result = runPipeline(network, sws({ beta: 3 }), surroundings);
  expect(result.diagnostics.map(({ code, help }) => [code, help])).toEqual([
    ['convert/max-pool-beta', expect.stringContaining('beta: 2 or average pooling, or a coding')],
  ]);
});

it('verify-accumulate-only finds a synapse that multiplies a real value', () => {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [1, 4, 4] } });
  b.add({ id: 'e', kind: 'encode', inputs: ['x'], attrs: { coding: 'direct', steps: 2 } });
  b.param('w', { tensor: tensor('f32', [1, 1, 3, 3], random(9)) });
  conv(b, 'c1', 'e');
  conv(b, 'c2', 'c1');
  b.add({ id: 'o', kind: 'decode', inputs: ['c2'], attrs: { coding: 'direct' } });
  expect(codes(b.finish(['o']), 'verify-accumulate-only')).toContain(
    'convert/mac-on-real: conv %c2 multiplies a membrane current (psp) value; after the encoder a synapse may only accumulate spikes',
  );
});

it('the pipeline stops where asked, and prints what each pass leaves', () => {
  const seen: string[] = [];
  const network = after((b) => conv(b, 'c', 'q0'));
  const result = runPipeline(network, sws(), surroundings, {
    stopAfter: 'to-spikes',
    after: ({ pass: name }) => seen.push(name),
  });
  const before = [
    'canonicalise',
    'fold-batchnorm',
    'fold-affine',
    'quantise-weights',
    'add-quantisers',
    'quantiser-regions',
  ];
  expect(seen).toEqual([...before, 'tables', 'digits', 'to-spikes']);
  expect(result.network!.ops.map((op) => op.kind)).toEqual(['input', 'encode', 'conv', 'decode']);
});
