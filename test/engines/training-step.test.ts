import { describe, expect, it } from 'vitest';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import { type OptimizerSpec, evaluate } from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { tfjsBackends } from '../support/tfjs.js';
import { lossesOf, trainedStep } from '../support/trained-case.js';

const optimizers: readonly OptimizerSpec[] = [{ kind: 'sgd', momentum: 0.9, nesterov: true }, { kind: 'adamw' }];
const engines = [onnxruntimeEngine, ...tfjsBackends.map(tfjsEngine), ...nativeEngines];

describe('a training step gives the same losses over 10 steps as in the reference evaluator', () => {
  for (const optimizer of optimizers) {
    const step = trainedStep({ optimizer });
    for (const engine of engines) {
      it(`${optimizer.kind} on ${engine.name}`, async () => {
        const executable = await engine.open(step.program, { threads: 1 });
        const expected = await lossesOf(step, (feeds) => Promise.resolve(evaluate(step.program, feeds)));
        const actual = await lossesOf(step, (feeds) => executable.step(feeds));
        await executable.dispose();
        expected.forEach((loss, i) => expect(Math.abs(actual[i]! - loss) / loss).toBeLessThan(1e-4));
        expect(expected.at(-1)).toBeLessThan(expected[0]!);
      });
    }
  }
});
