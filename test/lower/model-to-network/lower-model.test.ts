import { describe, expect, it } from 'vitest';
import { lowerModel } from '../../../src/lower/model-to-network/index.js';
import { type Config, checkModel } from '../../../src/model/index.js';
import { type Network, parseNetwork, printNetwork, realValues, verifyNetwork } from '../../../src/network/index.js';
import { testLoader } from '../../support/spike.js';
import { networkFrom } from '../../support/train.js';

const library = 'use "spikec/neurons" { LIF, PLIF, MBLIF, MLF, TSA }\n';

function config(text: string): Config {
  const { value, diagnostics } = checkModel({ name: 'model.spike', text: library + text }, testLoader());
  expect(diagnostics.filter((one) => one.severity === 'error')).toEqual([]);
  return [...value!.configs.values()][0]!;
}

function lower(text: string, seed?: number): Network {
  const { value, diagnostics } = lowerModel(config(text), seed === undefined ? {} : { seed });
  expect(diagnostics).toEqual([]);
  expect(verifyNetwork(value!)).toEqual([]);
  return value!;
}

const convNet = `network Net {
  input image: real[1, 12, 12]
  a = image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2)
  b = a | conv(8, kernel: 3, groups: 2) | spike | maxpool(2) | dropout(0.2) | flatten
  output b | linear(10)
}
`;

describe('lowerModel', () => {
  it('batch norm starts with the gains that it is given', () => {
    const network = lower(`network Net {
      input image: real[2, 4, 4]
      first = image | conv(3) | batchnorm(gamma: 0.5) | spike
      output first | conv(2) | batchnorm | flatten | linear(2)
    } config c { network Net  neuron LIF  coding direct(steps: 1) }`);
    const gains = [...network.params].filter(([name]) => name.endsWith('.gamma')).map(([, param]) => realValues(param));
    expect(gains.map((values) => [...values])).toEqual([
      [0.5, 0.5, 0.5],
      [1, 1],
    ]);
  });

  it('makes an op of each layer, between encoder and read-out', () => {
    const network = lower(`${convNet} config c { network Net  neuron LIF(tau: 4)  coding direct(steps: 3) }`);
    expect(printNetwork(network)).toMatchInlineSnapshot(`
      "network "Net" coding direct(steps=3) latency 3
        neuron LIF(tau = 2, theta = 1, soft = 0) {
          state u = 0
          charge u = (1 - 1 / tau) * u + x
          fire s = u >= theta
          reset u = where(soft, u - s * theta, where(s != 0, 0, u))
          surrogate rectangle(width: 1)
        }
        param a.conv.weight : f32[4,1,3,3]
        param a.batchnorm.gamma : f32[4]
        param a.batchnorm.beta : f32[4]
        param a.batchnorm.mean : f32[4]
        param a.batchnorm.variance : f32[4]
        param b.conv.weight : f32[8,2,3,3]
        param b.conv.bias : f32[8]
        param output.linear.weight : f32[10,72]
        param output.linear.bias : f32[10]
        %image         = input {shape=[1, 12, 12]}                                                                : real[1,12,12]
        %encode        = encode %image {coding=direct, steps=3}                                                   : real[1,12,12] @1..3
        %a.conv        = conv %encode {kernel=[3, 3], stride=[1, 1], pads=[1, 1, 1, 1], dilation=[1, 1], groups=1} (weight=a.conv.weight) : psp[4,12,12] @1..3
        %a.batchnorm   = batchnorm %a.conv {epsilon=0.00001, momentum=0.1} (gamma=a.batchnorm.gamma, beta=a.batchnorm.beta, mean=a.batchnorm.mean, variance=a.batchnorm.variance) : psp[4,12,12] @1..3
        %a.spike       = neuron.LIF %a.batchnorm {levels=[0, 1], amplitude=1, tau=4, theta=1, soft=0}             : spike{0..1}[4,12,12] @1..3
        %a.avgpool     = avgpool %a.spike {kernel=[2, 2], stride=[2, 2], pads=[0, 0, 0, 0], include_pad}          : spike{0..4, step=0.25}[4,6,6] @1..3
        %b.conv        = conv %a.avgpool {kernel=[3, 3], stride=[1, 1], pads=[1, 1, 1, 1], dilation=[1, 1], groups=2} (weight=b.conv.weight, bias=b.conv.bias) : psp[8,6,6] @1..3
        %b.spike       = neuron.LIF %b.conv {levels=[0, 1], amplitude=1, tau=4, theta=1, soft=0}                  : spike{0..1}[8,6,6] @1..3
        %b.maxpool     = maxpool %b.spike {kernel=[2, 2], stride=[2, 2], pads=[0, 0, 0, 0]}                       : spike{0..1}[8,3,3] @1..3
        %b.dropout     = dropout %b.maxpool {rate=0.2}                                                            : spike{0..1}[8,3,3] @1..3
        %b.flatten     = flatten %b.dropout                                                                       : spike{0..1}[72] @1..3
        %output.linear = linear %b.flatten (weight=output.linear.weight, bias=output.linear.bias)                 : psp[10] @1..3
        %decode        = decode %output.linear {coding=direct}                                                    : real[10]
        output %decode
      "
    `);
    expect(network.coding).toEqual({ name: 'direct', args: { steps: 3 } });
  });

  it('gives text that reads back', () => {
    const network = lower(`${convNet} config c { network Net  neuron PLIF  coding rate(steps: 3, seed: 5) }`);
    const text = printNetwork(network);
    const { value } = parseNetwork({ name: 'net.ir', text }, network.params);
    expect(printNetwork(value!)).toBe(text);
  });

  it('starts weights uniformly within ±1/√fan-in, norms as identities', () => {
    const { params } = lower(`${convNet} config c { network Net  neuron LIF  coding direct(steps: 3) }`);
    const shapes = [...params].map(([name, { tensor }]) => `${name} [${tensor.shape.join(', ')}]`);
    expect(shapes).toEqual([
      'a.conv.weight [4, 1, 3, 3]',
      'a.batchnorm.gamma [4]',
      'a.batchnorm.beta [4]',
      'a.batchnorm.mean [4]',
      'a.batchnorm.variance [4]',
      'b.conv.weight [8, 2, 3, 3]',
      'b.conv.bias [8]',
      'output.linear.weight [10, 72]',
      'output.linear.bias [10]',
    ]);
    const weights = realValues(params.get('output.linear.weight')!);
    const bound = 1 / Math.sqrt(72);
    const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
    expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...weights.map(Math.abs))).toBeGreaterThan(0.95 * bound);
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect([...realValues(params.get('a.batchnorm.variance')!)]).toEqual([1, 1, 1, 1]);
  });

  it('gives the same weights for the same seed, and keeps them when other layers change', () => {
    const text = `${convNet} config c { network Net  neuron LIF  coding direct(steps: 3)  train { seed 9 } }`;
    const weights = (network: Network, name: string): number[] => [...realValues(network.params.get(name)!)];
    const first = lower(text);
    expect(weights(lower(text), 'b.conv.weight')).toEqual(weights(first, 'b.conv.weight'));
    expect(weights(lower(text, 9), 'b.conv.weight')).toEqual(weights(first, 'b.conv.weight'));
    expect(weights(lower(text, 10), 'b.conv.weight')).not.toEqual(weights(first, 'b.conv.weight'));
    const edited = lower(text.replace('conv(4, kernel: 3)', 'conv(4, kernel: 5)'));
    expect(weights(edited, 'b.conv.weight')).toEqual(weights(first, 'b.conv.weight'));
  });

  it('gives learnable parameters of neurons one tensor per layer', () => {
    const text = 'network Net { input x: real[2, 4, 4] output x | conv(2) | spike | conv(2) | spike(PLIF(a: 1)) }';
    const network = lower(`${text} config c { network Net  neuron PLIF(theta: learn(0.5))  coding direct(2) }`);
    const learned = [...network.params].filter(([name]) => name.includes('spike'));
    expect(learned.map(([name, { tensor }]) => [name, tensor.shape, tensor.data[0]])).toEqual([
      ['output.spike.a', [1], 0],
      ['output.spike.theta', [1], 0.5],
      ['output.spike_2.a', [1], 1],
    ]);
    // The same name with other learnable parameters is another neuron.
    expect([...network.neurons.keys()]).toEqual(['PLIF', 'PLIF_2']);
    expect(network.ops.filter((op) => op.kind === 'neuron').map((op) => op.attrs['neuron'])).toEqual([
      'PLIF',
      'PLIF_2',
    ]);
  });

  it('derives the levels of spikes', () => {
    const network = lower(`network Net { input x: real[2, 4, 4] output x | spike }
      config c { network Net  neuron MBLIF(integer: 2, fraction: 1)  coding direct(2) }`);
    const neuron = network.ops.find((op) => op.kind === 'neuron')!;
    expect(neuron.attrs).toMatchObject({ levels: [0, 7], amplitude: 0.5, tau: 4, theta: 0.6 });
    expect(neuron.type.code).toEqual({ kind: 'spike', min: 0, max: 7, step: 0.5 });
  });

  it('lowers a network without spikes as it is', () => {
    const network = lower(`network Net { input x: real[2, 4, 4]
      y = x | conv(3) | relu
      output concat(y, y * 2 - 1) | eca | global_avgpool | linear(3) }
      config c { network Net }`);
    expect(network.ops.every((op) => op.type.time === undefined)).toBe(true);
    expect(network.ops.map((op) => op.kind)).toEqual([
      'input',
      'conv',
      'relu',
      'affine',
      'affine',
      'concat',
      'globalavgpool',
      'channel_conv',
      'sigmoid',
      'mul',
      'globalavgpool',
      'flatten',
      'linear',
    ]);
    expect(network.params.get('output.eca.conv.weight')!.tensor.shape).toEqual([3]);
  });

  it('scales threshold-dependent batch norm', () => {
    const network = lower(`${convNet} config c {
      network Net  neuron LIF(theta: 0.6)  coding direct(2)  train { batchnorm tdbn } }`);
    expect(network.ops.find((op) => op.kind === 'batchnorm')!.attrs['threshold']).toBe(0.6);
  });

  it('keeps ids apart from the encoder’s and the read-out’s', () => {
    const network = lower(`network Net { input encode: real[2]  output encode | spike }
      config c { network Net  neuron LIF  coding direct(2) }`);
    expect(network.ops.map((op) => op.id)).toEqual(['encode', 'encode_2', 'output.spike', 'decode']);
  });

  it('refuses what it can’t lower, by name', () => {
    const refused = (text: string): string[] =>
      lowerModel(config(`network Net { input x: real[2, 4, 4] output x | spike } ${text}`)).diagnostics.map(
        (one) => `${one.code}: ${one.message}`,
      );
    const later = 'is understood and checked, but not compiled yet';
    expect(refused('config c { network Net neuron LIF coding sws(2, 8, 2) }')).toEqual([
      `cli/not-lowered: \`coding sws\` with a network of layers ${later}`,
    ]);
    expect(refused('config c { network Net neuron LIF }')).toEqual([
      'model/setting-missing: the config `c` has no `coding`',
    ]);
    expect(refused('config c { network Net neuron LIF coding events }')).toEqual([
      'model/argument-missing: `events` needs `steps`, an integer of at least 1',
    ]);
    expect(refused('config c { network Net neuron MLF(k: 1000) coding direct(2) }')).toEqual([
      `cli/not-lowered: the neuron \`MLF\` with these numbers of units ${later}`,
    ]);
    expect(refused('config c { network Net neuron TSA coding direct(2) }')).toEqual([
      `cli/not-lowered: the silent steps of \`TSA\` in this coding ${later}`,
    ]);
    expect(
      refused(`neuron Analog { state u = 0 charge u = u + x fire s = round(u) }
        config c { network Net neuron Analog coding direct(2) }`),
    ).toEqual([`cli/not-lowered: the neuron \`Analog\`, whose output \`s\` has no finite set of levels, ${later}`]);
  });
});

it('neurons whose trains meet in a matrix product have their learned steps in common', () => {
  const text = (more: string) => `
    use "spikec/attention" { SpikingSelfAttention }
    use "spikec/neurons" { Refined }
    network N { input x: real[4, 8]  output x | spike | SpikingSelfAttention(4, 8, heads: 2, Attention: Refined ${more}) | flatten | linear(2) }
    config c { network N neuron Refined coding direct(steps: 1) bits { weights 2 spikes 2 steps learn(init: 2, max: 3, target: 1) } }`;
  const stepsIn = (more: string) =>
    networkFrom(text(more)).ops.flatMap(({ kind, params }) => (kind === 'squeeze' ? [params['steps']] : []));
  const common = 'output.0.q.0.output.spike.steps';
  expect(stepsIn('')).toEqual([
    'output.spike.steps',
    common,
    common,
    common,
    'output.0.output.spike.steps',
    'output.0.output.0.output.spike.steps',
  ]);
  // q k' with bits of its own: its train meets v's
  expect(stepsIn(', quantised: true, Score: Refined').filter((name) => name === common)).toHaveLength(4);
});
