import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { type TrainingLoss, lower, lowerForTraining, outputNames } from '../../../src/lower/program/index.js';
import { autodiff, evaluate } from '../../../src/tensor/index.js';
import { networkFrom } from '../../support/train.js';
import { random } from '../../tensor/cases.js';

const [samples, steps] = [5, 4];
const text = (neuron: string): string => `
  use "spikec/neurons" { LIF, LI, ILIF }
  network N { input x: real[4]
    output x | linear(6) | spike | linear(5) | spike | linear(3) | spike(LI(tau: 3)) | readout(last) }
  config c { network N  neuron ${neuron}  coding direct(steps: ${steps}) }`;

const next = random(4);
const x = tensor(
  'f32',
  [samples, 4],
  Float32Array.from({ length: 4 * samples }, () => 4 * next() - 1),
);
const numbers = tensor(
  'f32',
  [samples, 3],
  Float32Array.from({ length: 3 * samples }, () => next()),
);
const classes = tensor('i32', [samples], [0, 1, 2, 1, 0]);

it.each(['LIF(theta: 0.4)', 'ILIF(D: 3)'])('a sum of losses is the sum, each times its factor; %s', (neuron) => {
  const network = networkFrom(text(neuron));
  const weights = Object.fromEntries([...network.params].map(([id, one]) => [id, one.tensor]));
  const run = (loss: TrainingLoss, labels: Tensor) => {
    const kind = labels.dtype === 'i32' ? 'classes' : 'numbers';
    const { program } = lowerForTraining(network, loss, [], { labels: kind });
    return evaluate(program, { x, labels, ...weights });
  };
  const value = (loss: TrainingLoss, labels: Tensor): number => run(loss, labels)['loss']!.data[0]!;
  const target = 0.3;
  // the firing rates by another program
  const { program } = lower(network, { probes: { trains: () => true } });
  const results = evaluate(program, { x });
  const layers = network.ops.filter((op) => op.kind === 'neuron' && op.type.code.kind === 'spike');
  expect(layers).toHaveLength(2);
  const rates = layers.map(({ id }) => {
    const { data } = results[outputNames.train(id)]!;
    return Array.from(data).reduce((sum, v) => sum + v, 0) / data.length;
  });
  const firing = rates.reduce((sum, rate) => sum + (rate - target) ** 2, 0) / 2;
  expect(Math.max(...rates)).toBeGreaterThan(0.05);
  const outputs = results['0']!.data;
  const away = [...outputs].map((v, i) => v - numbers.data[i]!);
  const mse = away.reduce((sum, d) => sum + d * d, 0) / away.length;
  const l1 = away.reduce((sum, d) => sum + Math.abs(d), 0) / away.length;
  expect(value({ kind: 'mse' }, numbers)).toBeCloseTo(mse, 5);
  const sum: TrainingLoss = {
    kind: 'sum',
    terms: [
      { factor: 0.5, loss: { kind: 'mse' } },
      { factor: 1, loss: { kind: 'l1' } },
      { factor: 2, loss: { kind: 'firing', target } },
    ],
  };
  expect(value(sum, numbers)).toBeCloseTo(0.5 * mse + l1 + 2 * firing, 5);
  expect(run(sum, numbers)['error']!.data[0]!).toBeCloseTo(samples * l1, 5);
  const crossed: TrainingLoss = {
    kind: 'sum',
    terms: [
      { factor: 1, loss: { kind: 'cross_entropy' } },
      { factor: 3, loss: { kind: 'firing', target } },
    ],
  };
  expect(value(crossed, classes)).toBeCloseTo(value({ kind: 'cross_entropy' }, classes) + 3 * firing, 5);
});

it('a firing rate below its target pushes the weights in front of the neurons up, one above it down', () => {
  const network = networkFrom(text('LIF(theta: 0.4)'));
  const weights = Object.fromEntries([...network.params].map(([id, one]) => [id, one.tensor]));
  const [first] = network.ops.filter(({ kind }) => kind === 'linear');
  const bias = first!.params['bias']!;
  const slope = (target: number): number => {
    const only = { kind: 'sum', terms: [{ factor: 1, loss: { kind: 'firing', target } }] } as const;
    const { program } = lowerForTraining(network, only);
    const found = evaluate(autodiff(program, program.outputs['loss']!, [bias]).program, {
      x,
      labels: classes,
      ...weights,
    });
    return Array.from(found[`grad.${bias}`]!.data).reduce((sum, v) => sum + v, 0);
  };
  expect(slope(2)).toBeLessThan(-1e-4);
  expect(slope(0)).toBeGreaterThan(1e-5);
});
