import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../../src/engines/tfjs.js';
import { Lowering } from '../../../src/lower/program/context.js';
import { lower, lowerForTraining, outputNames } from '../../../src/lower/program/index.js';
import { lowerNeurons } from '../../../src/lower/program/neurons.js';
import { present } from '../../../src/base/invariant.js';
import type { Network } from '../../../src/network/index.js';
import { type Program, autodiff, evaluate, simplify, trainingStep, verify } from '../../../src/tensor/index.js';
import { random } from '../../tensor/cases.js';
import { forwardFeeds, networkFrom } from '../../support/train.js';
import { nativeEngines } from '../../support/native.js';

const declarations = `
  neuron Truth(tau = 2, theta = 1) {
    state u = 0
    state fired = 0
    charge u = where(fired > 0, 0, u) * (1 - 1 / tau) + x
    fire   s = u >= theta
    reset  fired = s
    surrogate sigmoid
  }
  neuron Timed(theta = 1) {
    state u = 0
    charge u = u + x * t / T
    fire   s = u >= theta
    reset  u = where(s, 0, u)
    surrogate triangle(width: 1)
  }`;

function networkOf(neuron: string, steps: number): Network {
  return networkFrom(`
    use "spikec/neurons" { IF, LIF, MBLIF, MBIF, PLIF, ILIF }
    ${declarations}
    network N { input x: real[4]  output x | spike | linear(4) }
    config n { network N  neuron ${neuron}  coding direct(steps: ${steps}) }`);
}

/** The neurons alone on a train of currents: as the rule has it, or unrolled whatever it says. */
function neuronsOf(network: Network, steps: number, unrolled: boolean): Program {
  const lowering = new Lowering(network, { precision: 'f32', trainable: true });
  const { builder } = lowering;
  const op = present(
    network.ops.find((op) => op.kind === 'neuron'),
    'no neuron',
  );
  const x = builder.input('currents', 'f32', [{ batch: steps }, 4]);
  const take = () => Array.from({ length: steps }, (_, t) => builder.step(x, t));
  const { spikes, membranes, thresholds } = lowerNeurons(
    lowering,
    op,
    unrolled ? { steps, take } : { steps, take, whole: () => x },
    { membranes: true },
  );
  const train = builder.concat(spikes, 0);
  builder.output('train', train);
  builder.output('membranes', builder.concat(membranes, 0));
  if (thresholds.length > 0) builder.output('thresholds', builder.concat(thresholds, 0));
  const next = random(2);
  const weight = builder.constant(tensor('f32', [4], [next(), next(), next(), next()]));
  builder.output('loss', builder.sumAll(builder.mul(train, weight)));
  return builder.build();
}

const loopsIn = (program: Program): number => program.ops.filter(({ kind }) => kind === 'scan').length;

function currentsOf(steps: number): Record<string, Tensor> {
  const next = random(3);
  return {
    currents: tensor(
      'f32',
      [steps * 2, 4],
      Float32Array.from({ length: steps * 8 }, () => next() * 1.4 - 0.3),
    ),
  };
}

describe('a layer of neurons over many steps is one loop', () => {
  const neurons = ['LIF', 'IF', 'MBLIF', 'MBIF(integer: 2, fraction: 1)', 'PLIF', 'ILIF(D: 4)', 'Truth', 'Timed'];
  it.each(neurons)('with the spikes, membranes and gradients of its steps unrolled: %s', (neuron) => {
    const steps = 200;
    const network = networkOf(neuron, steps);
    const [looped, unrolled] = [false, true].map((each) => neuronsOf(network, steps, each)) as [Program, Program];
    expect(verify(looped)).toEqual([]);
    expect([loopsIn(looped), loopsIn(unrolled)]).toEqual([1, 0]);
    const feeds = currentsOf(steps);
    const [found, wanted] = [evaluate(simplify(looped), feeds), evaluate(unrolled, feeds)];
    for (const name of Object.keys(wanted)) expect([name, ...found[name]!.data]).toEqual([name, ...wanted[name]!.data]);
    expect(new Set(wanted['train']!.data).size).toBeGreaterThan(1);
    const wrt = ['currents'];
    const slopes = [looped, unrolled].map(
      (program) => evaluate(autodiff(program, program.outputs['loss']!, wrt).program, feeds)['grad.currents']!.data,
    );
    expect(slopes[1]!.some((v) => v !== 0)).toBe(true);
    slopes[1]!.forEach((v, i) => expect(Math.abs(slopes[0]![i]! - v)).toBeLessThan(1e-4 * Math.max(1, Math.abs(v))));
  });

  it('and up to eight steps none, nor where its steps make few operations', () => {
    for (const steps of [1, 4, 8]) expect(loopsIn(neuronsOf(networkOf('LIF', steps), steps, false))).toBe(0);
    expect(loopsIn(neuronsOf(networkOf('LIF', 16), 16, false))).toBe(0);
  });
});

describe('a network over 100 steps', () => {
  const two = networkFrom(`
    use "spikec/neurons" { LIF }
    network N { input x: real[6]  output x | linear(8) | spike | linear(5) | spike | linear(3) }
    config n { network N  neuron LIF  coding direct(steps: 100) }`);

  it('trains by one loop forward and one backward per layer, in a few hundred operations', () => {
    const { program, learned } = lowerForTraining(two, { kind: 'cross_entropy' });
    const step = trainingStep(program, { loss: 'loss', train: learned, optimizer: { kind: 'sgd' } });
    expect(verify(step.program)).toEqual([]);
    expect(loopsIn(step.program)).toBe(4);
    expect(step.program.ops.length).toBeLessThan(400);
  });

  it('gives out trains, membranes and thresholds of every step', () => {
    const ids = two.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id);
    const { program } = lower(two, { probes: { trains: () => true, membranes: ids } });
    const x = tensor(
      'f32',
      [3, 6],
      Float32Array.from({ length: 18 }, (_, i) => Math.sin(i) * 6),
    );
    const results = evaluate(simplify(program), { x });
    for (const id of ids) {
      const membranes = results[outputNames.membranes(id)]!;
      const train = results[outputNames.train(id)]!;
      const thresholds = results[outputNames.thresholds(id)]!;
      expect(membranes.shape[0]).toBe(300);
      // what fires is what reaches the threshold
      train.data.forEach((s, i) => expect(s).toBe(membranes.data[i]! >= thresholds.data[i]! ? 1 : 0));
    }
    expect(results[outputNames.train(ids[0]!)]!.data.some((s) => s > 0)).toBe(true);
  });

  for (const engine of [fusedEngine, onnxruntimeEngine, tfjsEngine('wasm'), tfjsEngine('cpu'), ...nativeEngines]) {
    it(`trains on ${engine.name} as in the reference evaluator`, async () => {
      const lowered = lowerForTraining(two, { kind: 'cross_entropy' });
      const options = { loss: 'loss', train: lowered.learned, optimizer: { kind: 'sgd', momentum: 0.9 } } as const;
      const step = trainingStep(lowered.program, options);
      const opened = await engine.open(step.program, { threads: 1 });
      const state = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
      const clock = { learning_rate: tensor('f32', [], [0.1]), step: tensor('f32', [], [1]) };
      const feeds = { ...forwardFeeds(lowered, 4), ...state, ...clock };
      const [found, wanted] = [await opened.step(feeds), evaluate(step.program, feeds)];
      await opened.dispose();
      for (const name of Object.keys(wanted)) {
        wanted[name]!.data.forEach((v, i) => expect(Math.abs(found[name]!.data[i]! - v)).toBeLessThan(1e-4));
      }
    });
  }
});
