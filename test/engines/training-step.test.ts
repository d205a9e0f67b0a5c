import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { evaluate, trainingStep } from '../../src/tensor/index.js';
import { lifNetwork, trainingFeeds } from '../tensor/networks.js';

describe('a training step', () => {
  for (const kind of ['sgd', 'adamw'] as const) {
    it(`gives the same losses in onnxruntime as in the reference evaluator over 10 steps of ${kind}`, async () => {
      const optimizer = kind === 'sgd' ? ({ kind, momentum: 0.9 } as const) : { kind };
      const train = ['conv.w', 'fc.w', 'fc.b', 'lif.a'];
      const step = trainingStep(lifNetwork(3), { loss: 'loss', train, optimizer });
      const executable = await onnxruntimeEngine.compile(step.program, { threads: 1 });
      const runs = {
        reference: (feeds: Record<string, Tensor>) => Promise.resolve(evaluate(step.program, feeds)),
        onnxruntime: (feeds: Record<string, Tensor>) => executable.run(feeds),
      };
      const losses: Record<string, number[]> = {};
      for (const [name, run] of Object.entries(runs)) {
        let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
        losses[name] = [];
        for (let t = 1; t <= 10; t++) {
          const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
          const results = await run({ ...trainingFeeds(9), ...state, ...clock });
          losses[name].push(results['loss']!.data[0]!);
          state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
        }
      }
      await executable.dispose();
      losses['reference']!.forEach((loss, i) => {
        expect(Math.abs(losses['onnxruntime']![i]! - loss) / loss).toBeLessThan(1e-4);
      });
      expect(losses['reference']!.at(-1)).toBeLessThan(losses['reference']![0]!);
    });
  }
});
