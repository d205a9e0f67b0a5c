import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { normalQuantile } from '../../../src/base/normal.js';
import { drawsOf } from '../../../src/equations/index.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { lower, lowerForTraining } from '../../../src/lower/program/index.js';
import { type Network, parseNetwork, printNetwork, realValues, verifyNetwork } from '../../../src/network/index.js';
import { autodiff, evaluate, simplify } from '../../../src/tensor/index.js';
import { randomFeeds } from '../../../src/train/index.js';
import { nativeEngines } from '../../support/native.js';
import { forwardFeeds, networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';
import { agreesWithSlopes } from '../../support/finite-differences.js';

/** A neuron without jumps, so that finite differences are its gradient: two currents, and a number of each kind drawn a step. */
const smooth = `
  neuron Fed(leak = learn(0.4), spread = learn(0.3), high = learn(0.6), theta = 0.3) {
    input dendrite
    state u = 0
    state v = 0.5 / T
    charge v = leak * v + dendrite * uniform(0.2, high)
           u = leak * u + x + 0.5 * v
    fire   s = sigmoid(4 * (u - theta - normal(0.1, spread)))
    reset  u = u - s * theta
  }`;

const bodies = {
  plain: `h = spike(x | linear(5), x | linear(5))
    output h | linear(2)`,
  recurrent: `h = spike((x | linear(5)) + (h | delay(1) | linear(5)), x | linear(5))
    output h | linear(2)`,
};

function networkOf(body: keyof typeof bodies, steps: number): Network {
  return networkFrom(`${smooth}
    network Net { input x: real[3]  ${bodies[body]} }
    config c { network Net  neuron Fed  coding direct(steps: ${steps})  train { optimizer sgd } }`);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The network by plain loops, with the numbers that were drawn. */
function byHand(
  network: Network,
  recurrent: boolean,
  steps: number,
  x: readonly number[],
  feeds: Record<string, Tensor>,
) {
  const [uniform, normal] = ['uniform1', 'normal2'].map((name) => feeds[`h.spike.${name}`]!.data) as [
    Tensor['data'],
    Tensor['data'],
  ];
  const layer = network.ops.find(({ kind }) => kind === 'neuron')!;
  const maps = network.ops.flatMap((op) => (op.kind === 'linear' ? [op] : []));
  const apply = (id: string, input: readonly number[], outputs: number): number[] => {
    const op = maps.find((one) => one.id === id)!;
    const [w, b] = ['weight', 'bias'].map((role) => realValues(network.params.get(op.params[role]!)!));
    return Array.from({ length: outputs }, (_, j) =>
      input.reduce((sum, value, i) => sum + w![j * input.length + i]! * value, b![j]!),
    );
  };
  const first = network.ops.find(({ id }) => id === layer.inputs[0])!;
  const entry = first.kind === 'linear' ? first.id : first.inputs[0]!;
  const back = first.kind === 'linear' ? undefined : first.inputs[1]!;
  const outside = apply(entry, x, 5);
  const dendrite = apply(layer.inputs[1]!, x, 5);
  const [u, v] = [new Array<number>(5).fill(0), new Array<number>(5).fill(0.5 / steps)];
  let fired = new Array<number>(5).fill(0);
  const rates = new Array<number>(5).fill(0);
  for (let t = 0; t < steps; t++) {
    const inside = recurrent ? apply(back!, fired, 5) : new Array<number>(5).fill(0);
    fired = u.map((_, k) => {
      const [r, z] = [Number(uniform[t * 5 + k]), Number(normal[t * 5 + k])];
      v[k] = 0.4 * v[k]! + dendrite[k]! * (0.2 + (0.6 - 0.2) * r);
      u[k] = 0.4 * u[k]! + outside[k]! + inside[k]! + 0.5 * v[k];
      const s = sigmoid(4 * (u[k]! - 0.3 - (0.1 + 0.3 * z)));
      u[k]! -= s * 0.3;
      rates[k]! += s / steps;
      return s;
    });
  }
  const last = maps.at(-1)!;
  return apply(last.id, rates, 2);
}

describe.each([
  ['plain', 4, undefined],
  ['plain', 12, true],
  ['plain', 12, false],
  ['recurrent', 4, undefined],
] as const)('%s, %i steps, unrolled: %s', (body, steps, unroll) => {
  const network = networkOf(body, steps);

  it('two currents and drawn numbers are what plain loops compute', () => {
    const { program, feeds } = lower(network, { unroll });
    expect(feeds.randoms.map(({ id, kind }) => [id, kind])).toEqual([
      ['h.spike.uniform1', 'uniform'],
      ['h.spike.normal2', 'normal'],
    ]);
    const drawn = randomFeeds(feeds.randoms, 1, 7, 'test');
    const x = [0.3, -0.8, 0.5];
    const given = { ...drawn, [feeds.image.id]: tensor('f32', [1, 3], Float32Array.from(x)) };
    const found = [...evaluate(program, given, { precision: 'f64' })['0']!.data];
    const wanted = byHand(network, body === 'recurrent', steps, [...Float32Array.from(x)], drawn);
    found.forEach((value, j) => expect(value).toBeCloseTo(wanted[j]!, 6));
  });
});

describe.each([
  ['plain', 5],
  ['plain', 60],
  ['recurrent', 4],
] as const)('training: %s, %i steps', (body, steps) => {
  const lowered = lowerForTraining(networkOf(body, steps), { kind: 'cross_entropy' });
  const feeds = { ...forwardFeeds(lowered, 3), ...randomFeeds(lowered.feeds.randoms, 3, 5, 'test') };

  it('has the gradients of finite differences, through what is drawn', () => {
    const differentiated = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
    expect(agreesWithSlopes(differentiated, feeds, random(4))).toBeGreaterThanOrEqual(9);
  });

  it.each([fusedEngine, onnxruntimeEngine, tfjsEngine('wasm'), ...nativeEngines])(
    'is the same on $name',
    async (engine) => {
      const program = simplify(lowered.program);
      const wanted = evaluate(program, feeds);
      const opened = await engine.open(program);
      try {
        const found = await opened.step(feeds);
        expect(found['loss']!.data[0]!).toBeCloseTo(wanted['loss']!.data[0]!, 5);
      } finally {
        await opened.dispose();
      }
    },
  );
});

it('normal numbers are the quantiles of Python’s statistics.NormalDist, and have its mean and deviation', () => {
  // NormalDist().inv_cdf
  for (const [p, z] of [
    [2 ** -25, -5.419983174916869],
    [0.01, -2.3263478740408408],
    [0.074, -1.4466320671589785],
    [0.25, -0.6744897501960817],
    [0.5, 0],
    [0.9, 1.2815515655446008],
    [1 - 1e-12, 7.0344869100478356],
    [1e-300, -37.0470962993612],
  ] as const)
    expect(Math.abs(normalQuantile(p) - z)).toBeLessThan(1e-13 * Math.max(1, Math.abs(z)));
  const input = { id: 'n', shape: [{ batch: 20_000 }], kind: 'normal', dropped: 0 } as const;
  const values = [...randomFeeds([input], 1, 3)['n']!.data].map(Number);
  const mean = values.reduce((sum, z) => sum + z, 0) / values.length;
  const variance = values.reduce((sum, z) => sum + (z - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.05);
});

it('stands in the text form, and every call has a number of its own', () => {
  const network = networkOf('recurrent', 4);
  const text = printNetwork(network);
  expect(text).toContain('input dendrite');
  const read = parseNetwork({ name: 'n.ir', text }, network.params).value!;
  expect(printNetwork(read)).toBe(text);
  expect(drawsOf([...read.neurons.values()][0]!).map(({ name }) => name)).toEqual(['uniform1', 'normal2']);
});

it('a layer without the currents of its neuron is no network', () => {
  const network = networkOf('plain', 4);
  const ops = network.ops.map((op) => (op.kind === 'neuron' ? { ...op, inputs: op.inputs.slice(0, 1) } : op));
  expect(verifyNetwork({ ...network, ops }).map(({ message }) => message)).toContain(
    'has 1 current(s), its neuron Fed takes 2',
  );
});

it('a noisy threshold fires with the probability of the normal distribution', () => {
  const network = networkFrom(`use "spikec/neurons" { NoisyLIF }
    network Net { input x: real[1]  output x | spike(NoisyLIF(tau: 1, theta: 1, noise: 0.5)) }
    config c { network Net  coding direct(steps: 20)  train { optimizer sgd } }`);
  const { program, feeds } = lower(network);
  const count = 500;
  for (const [x, wanted] of [
    [0.5, 0.15866], // Φ(−1)
    [1, 0.5],
    [1.25, 0.69146], // Φ(½)
  ] as const) {
    const images = tensor('f32', [count, 1], new Float32Array(count).fill(x));
    const out = evaluate(program, { [feeds.image.id]: images, ...randomFeeds(feeds.randoms, count, 1) })['0']!.data;
    const rate = [...out].map(Number).reduce((sum, s) => sum + s, 0) / count;
    expect(Math.abs(rate - wanted)).toBeLessThan(0.015);
  }
});

it('T bounds levels: they follow from the steps of the coding', () => {
  const levelsIn = (steps: number) =>
    networkFrom(`use "spikec/neurons" { CountLIF }
      network Net { input x: real[2]  output x | spike(CountLIF) | linear(2) }
      config c { network Net  coding direct(steps: ${steps})  train { optimizer sgd } }`).ops.find(
      ({ kind }) => kind === 'neuron',
    )!;
  expect(levelsIn(3).type.code).toEqual({ kind: 'spike', min: 0, max: 3, step: 1 });
  expect(levelsIn(6).type.code).toEqual({ kind: 'spike', min: 0, max: 6, step: 1 });
});
