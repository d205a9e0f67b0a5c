import { describe, expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import { type OptimizerSpec, type TrainingStep, evaluate, trainingStep } from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { tfjsBackends } from '../support/tfjs.js';
import { lifNetwork, trainingFeeds } from '../tensor/networks.js';

type Run = (feeds: Record<string, Tensor>) => Promise<Record<string, Tensor>>;

/** The losses of 10 steps, the state carried from one to the next. */
async function losses(step: TrainingStep, run: Run): Promise<number[]> {
  let state: Record<string, Tensor> = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
  const found: number[] = [];
  for (let t = 1; t <= 10; t++) {
    const clock = { learning_rate: tensor('f32', [], [0.02]), step: tensor('f32', [], [t]) };
    const results = await run({ ...trainingFeeds(9), ...state, ...clock });
    found.push(results['loss']!.data[0]!);
    state = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]!]));
  }
  return found;
}

const optimizers: readonly OptimizerSpec[] = [{ kind: 'sgd', momentum: 0.9, nesterov: true }, { kind: 'adamw' }];
const engines = [onnxruntimeEngine, ...tfjsBackends.map(tfjsEngine), ...nativeEngines];

describe('a training step gives the same losses over 10 steps as in the reference evaluator', () => {
  for (const optimizer of optimizers) {
    const train = ['conv.w', 'fc.w', 'fc.b', 'lif.a'];
    const step = trainingStep(lifNetwork(3), { loss: 'loss', train, optimizer });
    for (const engine of engines) {
      it(`${optimizer.kind} on ${engine.name}`, async () => {
        const executable = await engine.open(step.program, { threads: 1 });
        const expected = await losses(step, (feeds) => Promise.resolve(evaluate(step.program, feeds)));
        const actual = await losses(step, (feeds) => executable.step(feeds));
        await executable.dispose();
        expected.forEach((loss, i) => expect(Math.abs(actual[i]! - loss) / loss).toBeLessThan(1e-4));
        expect(expected.at(-1)).toBeLessThan(expected[0]!);
      });
    }
  }
});
