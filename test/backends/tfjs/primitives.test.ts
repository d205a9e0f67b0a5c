import { describe, expect, it } from 'vitest';
import { tfjsSupports } from '../../../src/backends/tfjs/index.js';
import { loadTensorFlow, tfjsEngine } from '../../../src/engines/tfjs.js';
import { evaluate } from '../../../src/tensor/index.js';
import { tfjsBackends } from '../../support/tfjs.js';
import { cases, feedsFor, largestDifference, programOf } from '../../tensor/cases.js';

for (const backend of tfjsBackends) {
  describe(`TensorFlow.js backend on ${backend}`, () => {
    for (const c of cases) {
      for (const dtype of c.dtypes) {
        const program = programOf(c, dtype);
        if (!program.ops.every((op) => tfjsSupports(op.kind, op.dtype)) || dtype === 'f64') continue;
        it(`${c.label} in ${dtype} equals the reference evaluator, and leaves no tensor behind`, async () => {
          const executable = await tfjsEngine(backend).open(program);
          const tf = await loadTensorFlow(backend);
          const before = tf.memory().numTensors;
          const feeds = feedsFor(program, 2, 11);
          const actual = await executable.step(feeds);
          expect(tf.memory().numTensors).toBe(before);
          const expected = evaluate(program, feeds, { batch: 1 });
          expect(largestDifference(actual['y']!, expected['y']!)).toBeLessThanOrEqual(1e-5);
          await executable.dispose();
        });
      }
    }
  });
}
