import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { annCost, costOf, defaultHardware, fanOuts, measuredCost } from '../../src/cost/index.js';
import { forInference } from '../../src/workspace/compiled.js';
import { withPlanes } from '../../src/workspace/planes.js';
import { Findings } from '../../src/workspace/findings.js';
import { SpikeCounter, onesIn } from '../../src/run/metrics/index.js';
import { lower, outputNames } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { forwardFeeds, networkFrom, tinyModel } from '../support/train.js';

const images = 3;

/** The trains of a network on noisy images, by the reference evaluator. */
function trainsOf(network: Network): (id: string) => { readonly data: ArrayLike<number> } {
  const counted = new Set(new SpikeCounter(network).ids);
  const lowered = lower(network, { probes: { trains: (id) => counted.has(id) } });
  const { labels: _labels, ...feeds } = forwardFeeds(lowered, images);
  const results = evaluate(lowered.program, feeds);
  return (id) => results[outputNames.train(id)]!;
}

function measure(network: Network) {
  const counter = new SpikeCounter(network);
  const trains = trainsOf(network);
  counter.add((id) => tensor('f32', [trains(id).data.length], Float32Array.from(trains(id).data)));
  const cost = costOf(network);
  return { cost, ...measuredCost(network, cost, (id) => counter.countsOf(id), images, defaultHardware), counter };
}

/** Σ of what each output of an op is worth. */
function sumOf(network: Network, id: string, worth: (output: number, neuron: number) => number): number {
  const { shape } = network.ops.find((op) => op.id === id)!.type;
  const size = shape.reduce((a, b) => a * b, 1);
  return Array.from(trainsOf(network)(id).data).reduce((sum, value, i) => sum + worth(value, i % size), 0);
}

const body =
  'image | conv(4, kernel: 3) | batchnorm | spike | avgpool(2) | conv(6, kernel: 3, stride: 2) | batchnorm | spike | flatten | linear(3)';

/** By the digits of its text. */
const onesOf = (n: number): number => n.toString(2).replaceAll('0', '').length;

it('additions of multi-bit spikes are the spikes that the network’s binary planes fire', () => {
  for (const neuron of [
    'MBLIF(integer: 2, fraction: 1)',
    'IBRALIF',
    'IBLIF(D: 3)',
    'ILIF(D: 3)',
    'MLF',
    'LIF(tau: 2, theta: 1)',
  ]) {
    const findings = new Findings();
    const { network } = forInference(
      networkFrom(tinyModel({ neuron, body, declarations: 'use "spikec/neurons" { IBLIF, IBRALIF, MLF }' })),
      findings,
    );
    const planed = withPlanes(network, findings).network;
    const { total } = measure(network);
    const fanOut = fanOuts(planed);
    const binary = planed.ops.filter(
      (op) => op.kind === 'planes' || (op.kind === 'neuron' && op.attrs['levels']?.toString() === '0,1'),
    );
    const additions = binary.reduce((sum, { id }) => {
      const reach = fanOut(id);
      return sum + sumOf(planed, id, (one, i) => (one === 0 ? 0 : reach[i]!));
    }, 0);
    expect(additions).toBeGreaterThan(0);
    expect(total.sops, neuron).toBeCloseTo(additions / images, 9);
    expect(total.join_sops).toBe(0);
  }
});

it('a spike of 7 is 7 additions a synapse where planes are unary (IBRA eq. 5: T×D), 3 where they are binary', () => {
  const body = 'image | spike | flatten | linear(2)';
  const declarations = 'use "spikec/neurons" { IBLIF }';
  const figures = (neuron: string) => {
    const findings = new Findings();
    const text = tinyModel({ neuron, body, declarations, coding: 'direct(steps: 1)' });
    const { network } = forInference(networkFrom(text), findings);
    const split = withPlanes(network, findings).network;
    const counter = new SpikeCounter(network);
    // all 64 neurons fire 7, on one image
    counter.add(() => tensor('f32', [64], new Float32Array(64).fill(7)));
    return [network, split].map((form) => {
      const cost = costOf(form);
      const counts = (id: string) => counter.countsOf(id.replace('.planes', ''));
      const { sops } = measuredCost(network, costOf(network), counts, 1, defaultHardware).total;
      const { spike_bits, steps } = cost.total;
      return { sops, spike_bits, steps };
    });
  };
  expect(figures('ILIF(D: 7)')).toEqual([
    { sops: 64 * 2 * 7, spike_bits: 7, steps: 1 },
    { sops: 64 * 2 * 7, spike_bits: 1, steps: 7 },
  ]);
  expect(figures('IBLIF(D: 7)')).toEqual([
    { sops: 64 * 2 * 3, spike_bits: 3, steps: 1 },
    { sops: 64 * 2 * 3, spike_bits: 1, steps: 3 },
  ]);
});

it('energy is E_MAC for the real layer once and E_AC for each addition; NS-ACE weighs S-ACE by firing rates', () => {
  const { network } = forInference(networkFrom(tinyModel({ body })), new Findings());
  const { cost, layers, total } = measure(network);
  const [first, second, third] = cost.layers.map(({ id }) => layers.get(id)!);
  const rate = (id: string): number => {
    const fired = sumOf(network, id, (value) => (value === 0 ? 0 : 1));
    return fired / trainsOf(network)(id).data.length;
  };
  const [a, b] = network.ops.filter((op) => op.kind === 'neuron').map(({ id }) => rate(id));
  expect([second!.firing_rate, third!.firing_rate]).toEqual([a, b]);
  expect(first).toEqual({ sops: 0, energy_pj: 4.6 * cost.layers[0]!.macs, ns_ace: cost.layers[0]!.s_ace });
  const energy = 4.6 * cost.total.real_macs + 0.9 * (second!.sops + third!.sops);
  expect(total.energy_pj).toBeCloseTo(energy, 6);
  const weighed = cost.layers[0]!.s_ace + a! * cost.layers[1]!.s_ace + b! * cost.layers[2]!.s_ace;
  expect(total.ns_ace).toBeCloseTo(weighed, 6);
});

it('a squeezed train adds the ones of its sum, once', () => {
  const model = tinyModel({
    neuron: 'Refined(theta: 0.25)',
    train: 'optimizer sgd(lr: 0.1) } bits { weights 4  spikes 2  steps 3',
  });
  const { network } = forInference(networkFrom(model), new Findings());
  const neuron = network.ops.find((op) => op.kind === 'neuron')!;
  const codes = Array.from(trainsOf(network)(neuron.id).data, (s) => Math.round(s / 0.25));
  // [T·N, neurons], time slowest
  const whole = codes.length / 3;
  const reach = fanOuts(network)(network.ops.find((op) => op.kind === 'squeeze')!.id);
  let additions = 0;
  for (let i = 0; i < whole; i++) {
    const sum = codes[i]! + codes[whole + i]! + codes[2 * whole + i]!;
    const ones = onesOf(sum);
    additions += ones * reach[i % reach.length]!;
  }
  expect(additions).toBeGreaterThan(0);
  const { layers, cost } = measure(network);
  expect(layers.get(cost.layers.at(-1)!.id)!.sops).toBeCloseTo(additions / images, 9);
});

it('ones of a number are the ones of its binary digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (n) => {
      expect(onesIn(n)).toBe(onesOf(n));
    }),
  );
});

it('the ANN multiplies each weight once; quantised it adds at most once a bit, where that is cheaper', () => {
  const cost = (neuron: string, steps: number) =>
    costOf(networkFrom(tinyModel({ neuron, coding: `direct(steps: ${steps})` })));
  const base = cost('LIF(tau: 2, theta: 1)', 3);
  const [conv, linear] = base.layers.map(({ macs }) => macs) as [number, number];
  const ann = annCost(base, defaultHardware);
  expect(ann.macs).toBe(conv + linear);
  expect(ann.energy_pj).toBeCloseTo(4.6 * (conv + linear), 9);
  // four values in three steps: two bits
  expect(ann.bits).toBe(2);
  expect(ann.quantised_energy_pj).toBeCloseTo(4.6 * conv + 2 * 0.9 * linear, 9);
  // ⌈log₂(T + 1)⌉
  for (const [steps, bits] of [
    [1, 1],
    [4, 3],
    [7, 3],
    [8, 4],
  ] as const) {
    expect(annCost(cost('LIF(tau: 2, theta: 1)', steps), defaultHardware).bits).toBe(bits);
  }
  const many = annCost(cost('MBLIF(integer: 4, fraction: 4)', 1), defaultHardware);
  expect(many.quantised_energy_pj).toBeCloseTo(many.energy_pj, 6);
});
