import { describe, expect, it } from 'vitest';
import { tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { lower, lowerForTraining } from '../../../src/lower/program/index.js';
import { type Network, parseNetwork, printNetwork, realValues } from '../../../src/network/index.js';
import { autodiff, evaluate, simplify } from '../../../src/tensor/index.js';
import { nativeEngines } from '../../support/native.js';
import { forwardFeeds, networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';
import { agreesWithSlopes } from '../../support/finite-differences.js';

/** A neuron without jumps, so that finite differences are its gradient. */
const smooth = `
  neuron Smooth(
    leak = learn(0.4, constraint: unit, per: channel), gain = learn(1, per: step), theta = learn(0.3, per: neuron),
  ) {
    state u = 0
    charge u = leak * u + gain * x
    fire s = sigmoid(4 * (u - theta))
    reset u = u - s * theta
  }`;

const bodies = {
  plain: 'output x | conv(3, kernel: 3) | spike | flatten | linear(3)',
  recurrent: `h = (x | conv(3, kernel: 3)) + (h | delay(1) | conv(3, kernel: 1)) | spike
    output h | flatten | linear(3)`,
};

function networkOf(body: keyof typeof bodies, steps: number): Network {
  const made = networkFrom(`${smooth}
    network Net { input x: real[2, 4, 3]  ${bodies[body]} }
    config c { network Net  neuron Smooth  coding direct(steps: ${steps})  train { optimizer sgd } }`);
  const next = random(3);
  const params = new Map(
    [...made.params].map(([name, param]) => {
      const moved = Float32Array.from(param.tensor.data, (value) => value + 0.3 * (next() - 0.5));
      return [name, { ...param, tensor: tensor('f32', param.tensor.shape, moved) }] as const;
    }),
  );
  return { ...made, params };
}

const shapeOf = (network: Network, name: string): readonly number[] =>
  [...network.params].find(([id]) => id.endsWith(`.${name}`))![1].tensor.shape;

it('a parameter per channel, per neuron and per step has a value for each', () => {
  const network = networkOf('plain', 5);
  expect(shapeOf(network, 'leak')).toEqual([3]);
  expect(shapeOf(network, 'gain')).toEqual([5]);
  expect(shapeOf(network, 'theta')).toEqual([3, 4, 3]);
  const text = printNetwork(network);
  expect(text).toContain('leak = 0.4 learn unit per channel');
  expect(printNetwork(parseNetwork({ name: 'n.ir', text }, network.params).value!)).toBe(text);
});

it('with `to` they start at equal distances, each layer by the words of its own use', () => {
  const network =
    networkFrom(`neuron N(w = learn(0.2, to: 0.8, per: neuron)) { state u = 0 charge u = w * u + x fire s = u >= 1 }
    network Net { input x: real[2]
      output x | linear(4) | spike(N) | linear(3) | spike(N(w: learn(0.9, to: 0.1, per: neuron))) | linear(2) | spike(N(w: 0.5)) }
    config c { network Net  coding direct(steps: 2)  train { optimizer sgd } }`);
  const starts = [...network.params].flatMap(([id, param]) =>
    id.endsWith('.w') ? [[...realValues(param)].map((value) => Math.round(1e6 * value) / 1e6)] : [],
  );
  expect(starts).toEqual([
    [0.2, 0.4, 0.6, 0.8],
    [0.9, 0.5, 0.1],
    [0.5, 0.5],
  ]);
  expect([...network.neurons.keys()]).toEqual(['N', 'N_2']);
});

it('is what plain loops compute', () => {
  const network = networkOf('plain', 5);
  const probe = { ...network, ops: network.ops.filter(({ kind }) => kind !== 'decode') };
  const { program, feeds } = lower(network);
  const next = random(8);
  const image = tensor(
    'f32',
    [1, 2, 4, 3],
    Float32Array.from({ length: 24 }, () => next()),
  );
  const logits = [...evaluate(program, { [feeds.image.id]: image }, { precision: 'f64' })['0']!.data];
  const values = (suffix: string): Float64Array =>
    realValues([...network.params].find(([id]) => id.endsWith(suffix))![1]);
  const [leak, gain, theta] = [values('.leak'), values('.gain'), values('.theta')];
  const convolution = probe.ops.find(({ kind }) => kind === 'conv')!;
  const [weight, bias] = ['weight', 'bias'].map((role) => realValues(network.params.get(convolution.params[role]!)!));
  const current = (c: number, y: number, x: number): number => {
    let sum = bias![c]!;
    for (let i = 0; i < 2; i++)
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          const [row, column] = [y + dy, x + dx];
          if (row < 0 || row >= 4 || column < 0 || column >= 3) continue;
          sum += weight![((c * 2 + i) * 3 + dy + 1) * 3 + dx + 1]! * image.data[(i * 4 + row) * 3 + column]!;
        }
    return sum;
  };
  const rates = new Array<number>(36).fill(0);
  for (let k = 0; k < 36; k++) {
    const [c, y, x] = [Math.floor(k / 12), Math.floor((k % 12) / 3), k % 3];
    let u = 0;
    for (let t = 0; t < 5; t++) {
      u = leak[c]! * u + gain[t]! * current(c, y, x);
      const s = 1 / (1 + Math.exp(-4 * (u - theta[k]!)));
      rates[k]! += s / 5;
      u -= s * theta[k]!;
    }
  }
  const last = probe.ops.find(({ kind }) => kind === 'linear')!;
  const [w, b] = ['weight', 'bias'].map((role) => realValues(network.params.get(last.params[role]!)!));
  logits.forEach((value, j) =>
    expect(value).toBeCloseTo(
      rates.reduce((sum, r, k) => sum + w![j * 36 + k]! * r, b![j]!),
      5,
    ),
  );
});

describe.each([
  ['plain', 3],
  ['plain', 40],
  ['recurrent', 4],
] as const)('%s, %i steps', (body, steps) => {
  const network = networkOf(body, steps);
  const lowered = lowerForTraining(network, { kind: 'cross_entropy' });
  const feeds = forwardFeeds(lowered, 3);

  it('has the gradients of finite differences', () => {
    const differentiated = autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned);
    expect(differentiated.unreached).toEqual([]);
    const of = (id: string): boolean => /leak|gain|theta/.test(id);
    expect(agreesWithSlopes(differentiated, feeds, random(4), { each: 3, of })).toBe(9);
  });

  it.each([fusedEngine, onnxruntimeEngine, ...nativeEngines])('runs on $name', async (engine) => {
    const program = simplify(lowered.program);
    const wanted = evaluate(program, feeds);
    const opened = await engine.open(program);
    try {
      const found = await opened.step(feeds);
      expect(found['loss']!.data[0]!).toBeCloseTo(wanted['loss']!.data[0]!, 5);
    } finally {
      await opened.dispose();
    }
  });
});
