import fc from 'fast-check';
import { expect, it } from 'vitest';
import { costOf, reaches } from '../../src/cost/index.js';
import { type Network, type Op, opsById, parseNetwork, printNetwork } from '../../src/network/index.js';
import { multiplyingOps } from '../../src/passes/index.js';
import { expectBinary, expectClose, logitsOf, runPasses, withRandomNorms } from '../support/planes.js';
import { randomImages } from '../support/random-network.js';
import { networkFrom } from '../support/train.js';

const neurons = [
  'LIF',
  'IBLIF(D: 3)',
  'MBLIF(integer: 1, fraction: 1)',
  'ILIF(D: 3)',
  'IBRALIF(D: 1.5, N: 10)',
  'Ternary',
] as const;

/** A network ready for inference whose output is `body`, on values that `lines` define from image: real[2, 6, 6]. */
function inference(lines: readonly string[], body: string, seed = 1, coding = 'direct(steps: 2)'): Network {
  const network = networkFrom(
    `
    use "spikec/neurons" { LIF, IBLIF, MBLIF, ILIF, IBRALIF, Ternary }
    use "spikec/blocks" { SewBlock }
    network N {
      input image: real[2, 6, 6]
      ${lines.join('\n      ')}
      output ${body}
    }
    config c { network N  neuron LIF  coding ${coding} }`,
    seed,
  );
  return runPasses(withRandomNorms(network, seed), 'ann');
}

const layer = (name: string, from: string, neuron = 'LIF'): string =>
  `${name} = ${from} | conv(3, kernel: 3) | batchnorm | spike(${neuron})`;

function opOf(network: Network, find: (op: Op) => boolean): Op {
  const found = network.ops.filter(find);
  expect(found.length).toBe(1);
  return found[0]!;
}

/** Logits of planes are those of the network, by the reference evaluator in float64. */
function expectSame(network: Network, seed: number): Network {
  const planes = runPasses(network, 'planes');
  const image = randomImages(seed, 1, [2, 6, 6]).map((v) => v / 4);
  const expected = logitsOf(network, image, 'f64');
  expectClose(logitsOf(planes, image, 'f64'), expected, 1e-5);
  expectClose(logitsOf(runPasses(planes, 'fuse'), image, 'f64'), expected, 1e-5);
  expect(multiplyingOps(planes)).toEqual([]);
  const text = printNetwork(planes);
  const read = parseNetwork({ name: 'network.ir', text }, planes.params);
  expect(read.diagnostics).toEqual([]);
  expect(printNetwork(read.value!)).toBe(text);
  return planes;
}

it('a sum of trains of one step is a train with more levels, a joint of them one with the levels of all', () => {
  const lines = [
    layer('a', 'image'),
    layer('b', 'a'),
    layer('c', 'b', 'IBLIF(D: 3)'),
    layer('d', 'c', 'MBLIF(integer: 1, fraction: 1)'),
  ];
  // the last concatenation is there to use all of them
  const codeOf = (body: string, kind: 'add' | 'concat'): unknown =>
    opOf(
      inference(lines, `concat(${body}, b, d) | flatten | linear(2)`),
      (op) => op.kind === kind && op.inputs.length === 2,
    ).type.code;
  expect(codeOf('a + b', 'add')).toEqual({ kind: 'spike', min: 0, max: 2, step: 1 });
  expect(codeOf('a + c', 'add')).toEqual({ kind: 'spike', min: 0, max: 4, step: 1 });
  expect(codeOf('a + d', 'add')).toEqual({ kind: 'psp' });
  expect(codeOf('concat(a, c)', 'concat')).toEqual({ kind: 'spike', min: 0, max: 3, step: 1 });
  expect(codeOf('concat(a, d)', 'concat')).toEqual({ kind: 'psp' });
});

it('a train that is added to what it was before grows without end: it is a potential', () => {
  const network = networkFrom(`
    use "spikec/neurons" { LIF }
    network N {
      input x: real[4]
      a = x | linear(3) | spike
      h = a + (h | delay(1))
      output h | linear(2)
    }
    config c { network N  neuron LIF  coding direct(steps: 3) }`);
  expect(opOf(network, ({ kind }) => kind === 'add').type.code).toEqual({ kind: 'psp' });
});

/** Those with levels 0, 1, 2 …: the greatest of sums has to be in one unit. */
const whole = ['LIF', 'IBLIF(D: 3)', 'ILIF(D: 3)', 'Ternary'] as const;

const shapes: Readonly<Record<string, string>> = {
  sum: '(a + b) | conv(2) | spike | flatten | linear(3)',
  'sum of three': '(a + b + c) | conv(2) | spike | flatten | linear(3)',
  joint: 'concat(a, b) | conv(2) | spike | flatten | linear(3)',
  'joint of a sum': 'concat(a + b, c) | conv(2) | spike | flatten | linear(3)',
  'sum behind a pool': '((a + b) | avgpool(2)) | conv(2) | spike | flatten | linear(3)',
  'sum of pools': '(a | avgpool(2)) + (b | avgpool(2)) | conv(2) | spike | flatten | linear(3)',
  'joint of pools': 'concat(a | avgpool(2), b | avgpool(2)) | conv(2) | spike | flatten | linear(3)',
  'sum at the end': '(a + b) | global_avgpool | linear(3)',
  'joint at the end': 'concat(a, b) | flatten | linear(3)',
  'scaled sum': '(0.5 * a + b) | conv(2) | spike | flatten | linear(3)',
  'greatest of a joint': 'concat(a, b) | maxpool(2) | conv(2) | spike | flatten | linear(3)',
  'greatest of a sum': '(a + b) | maxpool(2) | conv(2) | spike | flatten | linear(3)',
  'sum in a sum': '((a + b) | conv(3) | spike) + a | conv(2) | spike | flatten | linear(3)',
  'sum before neurons': '(a + b) | spike | conv(2) | spike | flatten | linear(3)',
  'sum with a current': '((a + b) + (c | conv(3))) | spike | flatten | linear(3)',
  SewBlock: '(a | SewBlock(3) | SewBlock(3) | SewBlock(4, stride: 2)) | conv(2) | spike | flatten | linear(3)',
};

it.each(Object.keys(shapes))(
  '%s: planes give the logits of the network of any neurons, and every synapse adds spikes',
  (name) => {
    const kinds = fc.constantFrom<string>(...(name === 'greatest of a sum' ? whole : neurons));
    fc.assert(
      fc.property(kinds, kinds, kinds, fc.integer({ min: 1, max: 100_000 }), (a, b, c, seed) => {
        expectSame(
          inference([layer('a', 'image', a), layer('b', 'a', b), layer('c', 'b', c)], shapes[name]!, seed),
          seed,
        );
      }),
      { numRuns: 8 },
    );
  },
  240_000,
);

it('planes of a sum of {0,1} and {0,1} are two, by hand: S-ACE, synapses a spike reaches, steps', () => {
  const network = inference([layer('a', 'image'), layer('b', 'a')], '(a + b) | conv(2) | spike | flatten | linear(3)');
  const planes = expectSame(network, 5);
  expectBinary(planes);
  const sum = opOf(planes, ({ kind }) => kind === 'add');
  expect(sum.attrs).toEqual({ codes: true });
  const row = costOf(planes).layers.find(({ id }) => id.endsWith('conv') && id.startsWith('output'))!;
  // 2·3·3·3 weights at 36 places; 32-bit weights, a bit in 2 steps of 2 planes
  const macs = 2 * 3 * 9 * 36;
  expect([row.input, row.macs, row.spike_bits, row.steps, row.s_ace]).toEqual(['spikes', macs, 1, 4, macs * 32 * 4]);
  expect(row.real_macs).toBe(0);
  // a spike of b is added once to the sum; one of the sum in the middle reaches 2·9 synapses
  const reach = reaches(planes);
  const [ofB, ofSum] = [reach(`b.spike`), reach(`${sum.id}.planes`)].map((to) => [...to.values()][0]!);
  expect(ofB![7]).toBe(1);
  expect(ofSum![7]).toBe(18);
});

it('a synapse on trains of different steps is one on each, with the step in its weights', () => {
  const lines = [layer('a', 'image'), layer('d', 'a', 'MBLIF(integer: 1, fraction: 1)')];
  const network = inference(lines, '(a + d) | conv(2) | spike | flatten | linear(3)');
  const planes = expectSame(network, 9);
  const weightOf = (id: string): readonly number[] => [
    ...planes.params.get(opsById(planes).get(id)!.params['weight']!)!.tensor.data,
  ];
  const original = [...network.params.get('output.conv.weight')!.tensor.data];
  expect(weightOf('output.conv.part1')).toEqual(original);
  expect(weightOf('output.conv.part2')).toEqual(original.map((w) => w / 2));
  // one plane and two, a layer each
  const bits = costOf(planes)
    .layers.filter(({ id }) => id.startsWith('output.conv'))
    .map(({ steps }) => steps);
  expect(bits).toEqual([2, 4]);
});

it('a joint of one bit and two bits is weighed train by train: 3·1 + 3·2 channels of planes in place of 6·2', () => {
  const lines = [layer('a', 'image'), layer('c', 'a', 'IBLIF(D: 3)')];
  const planes = expectSame(inference(lines, 'concat(a, c) | conv(2) | spike | flatten | linear(3)'), 3);
  const rows = costOf(planes).layers.filter(({ id }) => id.startsWith('output.conv'));
  const macs = 2 * 3 * 9 * 36;
  expect(rows.map(({ macs: own, s_ace }) => [own, s_ace])).toEqual([
    [macs, macs * 32 * 2],
    [macs, macs * 32 * 4],
  ]);
});
