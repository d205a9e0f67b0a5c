import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { autodiff, evaluate } from '../../src/tensor/index.js';
import { type OptimizerSpec } from '../../src/tensor/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { type Trainee, traineeOf } from '../../src/train/index.js';
import { hasTorch, runPython } from '../support/pytorch.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { networkFrom, stepFeeds, tinyModel } from '../support/train.js';

interface Reference {
  readonly losses: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly states: Readonly<Record<string, readonly number[]>>;
}

const optimizers: Readonly<Record<string, { spec: OptimizerSpec; rate: number }>> = {
  sgd: { spec: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 1e-2 }, rate: 0.1 },
  adam: { spec: { kind: 'adam', weightDecay: 1e-2 }, rate: 1e-2 },
  adamw: { spec: { kind: 'adamw', weightDecay: 1e-1 }, rate: 1e-2 },
};
const neurons: Readonly<Record<string, string>> = {
  LIF: 'LIF(tau: 2, theta: 1)',
  PLIF: 'PLIF(theta: 1)',
  ILIF: 'ILIF',
};
const [count, images] = [5, 6];

function reference(trainee: Trainee, neuron: string, optimizer: string, feeds: Record<string, Tensor>): Reference {
  const { network, lowered } = trainee;
  const plain = ({ shape, data }: Tensor): object => ({ shape, data: Array.from(data) });
  const weights = Object.fromEntries([...network.params].map(([id, { tensor: values }]) => [id, plain(values)]));
  const job = { neuron, steps: 3, optimizer, count, images: plain(feeds[lowered.feeds.image.id]!), weights };
  const script = join(import.meta.dirname, 'torch_reference.py');
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'job.json'), JSON.stringify({ ...job, labels: Array.from(feeds['labels']!.data) }));
  return JSON.parse(runPython(folder, [script, 'job.json'])) as Reference;
}

function expectClose(found: ArrayLike<number>, expected: readonly number[], what: string, tolerance: number): void {
  const scale = Math.max(1e-3, ...expected.map(Math.abs));
  expect(found.length, what).toBe(expected.length);
  expected.forEach((value, i) => expect(Math.abs(found[i]! - value) / scale, `${what}[${i}]`).toBeLessThan(tolerance));
}

describe.skipIf(!hasTorch)('training is that of PyTorch', () => {
  it.each([
    ['LIF', 'sgd'],
    ['PLIF', 'adam'],
    ['ILIF', 'adamw'],
  ])('%s with %s: gradients, losses, weights and running statistics over 5 steps', async (neuron, optimizer) => {
    const { spec, rate } = optimizers[optimizer]!;
    const network = networkFrom(tinyModel({ neuron: neurons[neuron]! }));
    const trainee = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: spec });
    const feeds = stepFeeds(trainee, images);
    const expected = reference(trainee, neuron, optimizer, feeds);

    const { lowered } = trainee;
    const gradients = evaluate(
      autodiff(lowered.program, lowered.program.outputs['loss']!, lowered.learned).program,
      feeds,
    );
    for (const [id, values] of Object.entries(expected.gradients)) {
      expectClose(gradients[`grad.${id}`]!.data, values, `gradient of ${id}`, 1e-4);
    }

    const executable = await onnxruntimeEngine.open(trainee.step.program, { threads: 1 });
    let states = Object.fromEntries(trainee.step.states.map(({ id, initial }) => [id, initial]));
    for (let i = 0; i < count; i++) {
      const clock = { learning_rate: tensor('f32', [], [rate]), step: tensor('f32', [], [i + 1]) };
      const results = await executable.step({ ...feeds, ...states, ...clock });
      expect(Math.abs(results['loss']!.data[0]! / expected.losses[i]! - 1), `loss ${i}`).toBeLessThan(1e-4);
      states = Object.fromEntries(trainee.step.states.map(({ id }) => [id, results[`next.${id}`]!]));
    }
    await executable.dispose();
    for (const [id, values] of Object.entries(expected.states)) expectClose(states[id]!.data, values, id, 1e-3);
  });
});
