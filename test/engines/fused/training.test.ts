import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../../src/base/dtype.js';
import { fusedEngine } from '../../../src/engines/fused/index.js';
import { isSeparable } from '../../../src/engines/fused/samples.js';
import { type OptimizerSpec, evaluate, trainingStep } from '../../../src/tensor/index.js';
import { lifNetwork, trainingFeeds } from '../../tensor/networks.js';

const optimizers: readonly OptimizerSpec[] = [{ kind: 'sgd', momentum: 0.9, nesterov: true }, { kind: 'adamw' }];

it('runs training steps, whose samples depend on each other, as a whole', async () => {
  for (const optimizer of optimizers) {
    const train = ['conv.w', 'fc.w', 'fc.b', 'lif.a'];
    const step = trainingStep(lifNetwork(3), { loss: 'loss', train, optimizer });
    expect(isSeparable(step.program)).toBe(false);
    const executable = await fusedEngine.open(step.program, { threads: 1 });
    let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
    for (let t = 1; t <= 4; t++) {
      const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
      const feeds = { ...trainingFeeds(9), ...state, ...clock };
      const expected = evaluate(step.program, feeds);
      const actual = await executable.step(feeds);
      for (const [name, { data }] of Object.entries(expected)) {
        data.forEach((v, i) =>
          expect(Math.abs(actual[name]!.data[i]! - v)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(v))),
        );
      }
      state = Object.fromEntries(step.states.map(({ id }) => [id, expected[`next.${id}`]!]));
    }
    await executable.dispose();
  }
});
