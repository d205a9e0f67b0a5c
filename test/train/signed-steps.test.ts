import { expect, it } from 'vitest';
import type { Tensor } from '../../src/base/dtype.js';
import { lowerForObservation } from '../../src/lower/program/index.js';
import { chooseEngine } from '../../src/run/engine.js';
import { evaluate } from '../../src/tensor/index.js';
import { StepSizes, traineeOf } from '../../src/train/index.js';
import { quantisedTensors } from '../../src/train/bits.js';
import { networkFrom, stepFeeds } from '../support/train.js';

/** A first layer of neurons whose spikes have a sign, and a second whose spikes have none. */
const text = `
  use "spikec/neurons" { Refined }
  network Tiny {
    input image: real[1, 8, 8]
    output image | conv(4, kernel: 3) | spike(Refined(signed: true)) | conv(4, kernel: 3) | spike | flatten | linear(3)
  }
  config tiny {
    network Tiny  neuron Refined  coding direct(steps: 1)
    bits { weights learn(init: 4, max: 6, target: 1)  spikes learn(init: 4, max: 6, target: 1) }
  }`;

it('a step size knows whether its codes have a sign: those of weights, and of neurons whose levels reach below 0', () => {
  const found = quantisedTensors(networkFrom(text)).map(({ kind, signed }) => [kind, signed]);
  expect(found.filter(([kind]) => kind === 'weights').every(([, signed]) => signed)).toBe(true);
  expect(found.filter(([kind]) => kind === 'spikes')).toEqual([
    ['spikes', true],
    ['spikes', false],
  ]);
});

it('step sizes start at 2·mean|x|/√hi, where 4 bits end at hi = 7 with a sign and at 15 without', async () => {
  const network = networkFrom(text);
  const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd' } });
  const states = new Map<string, Tensor>(trainee.step.states.map(({ id, initial }) => [id, initial]));
  const feeds = Object.entries(stepFeeds(trainee, 9)).filter(([id]) => !states.has(id));
  const engine = chooseEngine('onnxruntime', 'train');
  const sizes = (await StepSizes.open(network, engine, [...states.keys()], undefined, undefined))!;
  await sizes.start(states, Object.fromEntries(feeds));
  await sizes.close();
  const [first, second] = network.ops.filter(({ kind }) => kind === 'neuron').map(({ id }) => id);
  const theta = (id: string | undefined): number => states.get(`${id}.theta`)!.data[0]!;
  for (const [id, hi] of [
    [first, 7],
    [second, 15],
  ] as const) {
    const { program } = lowerForObservation(network);
    const params = program.params.map((param) => {
      const state = states.get(param.id);
      return state === undefined ? param : { ...param, data: { ...state, shape: param.shape as number[] } as Tensor };
    });
    const x = [...evaluate({ ...program, params }, Object.fromEntries(feeds))[`current ${id}`]!.data];
    const mean = x.reduce((sum, value) => sum + Math.abs(value), 0) / x.length;
    expect(theta(id), id).toBeCloseTo((2 * mean) / Math.sqrt(hi), 4);
  }
});
