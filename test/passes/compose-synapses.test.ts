import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Network, parseNetwork, printNetwork } from '../../src/network/index.js';
import { channelAttentions, configure, multiplyingOps, pipelines, runPipeline } from '../../src/passes/index.js';
import { surroundings } from '../support/sws.js';
import { expectBinary, expectClose, logitsOf, runPasses, withRandomNorms } from '../support/planes.js';
import { randomImages, seeded } from '../support/random-network.js';
import { configFrom } from '../support/train.js';

function networkOf(body: string, neuron = 'ILIF(D: 7)', steps = 2, seed = 1): Network {
  const text = `use "spikec/blocks" { InterlaminarBlock }
    use "spikec/neurons" { LIF, ILIF, MBLIF, IBRALIF }
    network Small {
      input image: real[2, 6, 6]
      ${body}
    }
    config c { network Small  neuron ${neuron}  coding direct(steps: ${steps}) }`;
  const { value, diagnostics } = lowerModel(configFrom(text), { seed });
  if (value === undefined) throw new Error(JSON.stringify(diagnostics));
  return value;
}

/** Weights that are small integers, so that every sum is exact. */
function withIntegers(network: Network, seed: number): Network {
  const random = seeded(seed);
  const whole = (values: ArrayLike<number>): number[] => Array.from(values, () => Math.round(6 * random() - 2.5));
  const params = [...network.params].map(
    ([name, { tensor: old }]) => [name, { tensor: tensor('f32', old.shape, whole(old.data)) }] as const,
  );
  return { ...network, params: new Map(params) };
}

const conv = 'conv(3, kernel: 3, bias: true)';
/** 1×1 convolutions of what other synapses deliver, in every form that is one synapse. */
const composed = [
  `a = image | ${conv} | spike  b = a | ${conv}  output b | conv(4, kernel: 1, bias: true) | spike | flatten | linear(3)`,
  `a = image | ${conv} | spike  b = a | conv(3, kernel: 3, stride: 2)
   output b | conv(4, kernel: 1, stride: 2, bias: true) | spike | flatten | linear(3)`,
  `a = image | ${conv} | spike  b = a | ${conv}  c = b | spike | ${conv}
   output concat(b, c) | conv(4, kernel: 1, bias: true) | spike | flatten | linear(3)`,
  `a = image | ${conv} | spike  b = a | ${conv}  output b + a | conv(4, kernel: 1) | spike | flatten | linear(3)`,
  `a = image | ${conv} | spike
   output a | ${conv} | conv(2, kernel: 1, bias: true) | conv(4, kernel: 1) | spike | flatten | linear(3)`,
  `a = image | ${conv} | spike | flatten  output a | linear(5) | linear(4) | spike | linear(3)`,
  `b = image | ${conv}  output b | conv(4, kernel: 1) | spike | flatten | linear(3)`,
];

it.each(composed)('%s: on integers the same numbers, bit for bit, and every synapse reads spikes', (body) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (seed) => {
      const network = withIntegers(networkOf(body), seed);
      const image = randomImages(seed, 1, [2, 6, 6]).map(Math.round);
      const expected = logitsOf(network, image);
      expect(multiplyingOps(network)).not.toEqual([]);
      const planes = runPasses(network, 'planes');
      expectBinary(planes);
      expect(logitsOf(planes, image)).toEqual(expected);
      expect(logitsOf(runPasses(planes, 'fuse'), image)).toEqual(expected);
      const text = printNetwork(planes);
      expect(printNetwork(parseNetwork({ name: 'x.ir', text }, planes.params).value!)).toBe(text);
    }),
    { numRuns: 6 },
  );
});

it.each([
  ['a border', `a = image | ${conv} | spike | ${conv}  output a | conv(4, kernel: 3) | spike | flatten | linear(3)`],
  [
    'a pool',
    `a = image | ${conv} | spike | ${conv} | avgpool(2)  output a | conv(4, kernel: 1) | spike | flatten | linear(3)`,
  ],
  [
    'a nonlinearity',
    `a = image | ${conv} | spike | ${conv} | relu  output a | conv(4, kernel: 1) | spike | flatten | linear(3)`,
  ],
])('%s between two synapses keeps them apart, and that is refused', (_, body) => {
  const { network, diagnostics } = runPipeline(networkOf(body), configure(pipelines.planes, {}), surroundings);
  expect(network).toBeUndefined();
  expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(['convert/mac-on-real']));
});

const interlaminar = `stem = image | conv(4, kernel: 3) | batchnorm | spike
  body = stem | InterlaminarBlock(4) | InterlaminarBlock(6, stride: 2)
  output body | global_avgpool | linear(3)`;

it.each(['LIF(tau: 4, theta: 0.6)', 'MBLIF(integer: 2, fraction: 1)', 'IBRALIF'])(
  'interlaminar blocks of %s: the accumulating form gives the logits of the training form',
  (neuron) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 3 }), (seed, steps) => {
        const network = withRandomNorms(networkOf(interlaminar, neuron, steps, seed), seed);
        const image = randomImages(seed, 1, [2, 6, 6]);
        const expected = logitsOf(network, image, 'f64');
        const planes = runPasses(runPasses(network, 'ann'), 'planes');
        expectBinary(planes);
        expectClose(logitsOf(planes, image, 'f64'), expected, 1e-5);
        expectClose(logitsOf(runPasses(planes, 'fuse'), image, 'f64'), expected, 1e-5);
      }),
      { numRuns: 5 },
    );
  },
  240_000,
);

it('a channel attention is let pass, and a note says where and how many products it takes', () => {
  const network = runPasses(networkOf(interlaminar), 'ann');
  const { network: planes, diagnostics } = runPipeline(network, configure(pipelines.planes, {}), surroundings);
  // C·k and C·H·W, of 4 channels on 6×6 and of 6 on 3×3
  const products = 4 * 3 + 4 * 36 + (6 * 3 + 6 * 9);
  expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([['convert/attention-gate', 'note']]);
  expect(diagnostics[0]!.message).toContain(`2 channel attentions multiply membrane currents: ${products} products`);
  expect(channelAttentions(planes!).map(({ mul }) => mul.kind)).toEqual(['mul', 'mul']);
});

/** A copy of a network with other inputs of one op. */
function rewired(network: Network, id: (op: string) => boolean, inputs: (old: readonly string[]) => string[]): Network {
  return { ...network, ops: network.ops.map((op) => (id(op.id) ? { ...op, inputs: inputs(op.inputs) } : op)) };
}

it('nothing that only resembles a channel attention is let pass', () => {
  const network = runPasses(networkOf(interlaminar), 'ann');
  const product = (id: string): boolean => id === 'body.0.re.eca.mul' || id === 'body.re.eca.mul';
  const [first] = channelAttentions(network);
  const { id } = first!.mul;
  // the gate weighs something else than it follows from
  const other = network.ops.find((op) => op.kind === 'conv' && op.type.shape.join() === first!.mul.type.shape.join())!;
  const swapped = rewired(
    network,
    (name) => name === id,
    ([, gate]) => [other.id, gate!],
  );
  expect(channelAttentions(swapped).map(({ mul }) => mul.id)).not.toContain(id);
  expect(multiplyingOps(swapped).map(({ op }) => op.id)).toContain(id);
  // two membrane currents multiplied
  const squared = rewired(
    network,
    (name) => name === id || product(name),
    ([x]) => [x!, x!],
  );
  expect(multiplyingOps(squared).map(({ op }) => op.id)).toContain(id);
  // the gate is read by something else as well
  const gate = first!.mul.inputs[1]!;
  const read = { ...network, outputs: [...network.outputs, gate] };
  expect(multiplyingOps(read).map(({ op }) => op.id)).toContain(id);
});

it('the greatest of a sum of trains whose steps differ is refused as that, once, with what would do', () => {
  const sum = (behind: string) => `a = image | ${conv} | spike(MBLIF(integer: 2, fraction: 1))
    b = image | ${conv} | spike(MBLIF(integer: 1, fraction: 2))
    output a + b${behind} | conv(4, kernel: 3) | spike | flatten | linear(3)`;
  const { diagnostics } = runPipeline(networkOf(sum(' | maxpool(2)')), configure(pipelines.planes, {}), surroundings);
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    [
      'convert/mac-on-real',
      'maxpool %output.maxpool takes the greatest of membrane current (psp) values; after the encoder a synapse may only accumulate spikes',
    ],
  ]);
  expect(diagnostics[0]!.help).toContain('levels of one step');
  // of what the help says, both compile
  expectBinary(runPasses(networkOf(sum('')), 'planes'));
  expectBinary(runPasses(networkOf(sum(' | spike | maxpool(2)')), 'planes'));
});
