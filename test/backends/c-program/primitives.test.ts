import { describe, expect, it } from 'vitest';
import { nativeEngine } from '../../../src/engines/native.js';
import { evaluate, primKinds, verify } from '../../../src/tensor/index.js';
import { cases, feedsFor, largestDifference, programOf } from '../../tensor/cases.js';

describe('C of the native engine', () => {
  it('has a case for every primitive', () => {
    const covered = new Set(cases.map((c) => c.kind));
    expect(primKinds.filter((kind) => !covered.has(kind))).toEqual([]);
  });

  for (const c of cases) {
    it(`${c.label} in ${c.dtypes.join(', ')} equals the reference evaluator`, async () => {
      for (const dtype of c.dtypes) {
        const program = programOf(c, dtype);
        expect(verify(program)).toEqual([]);
        const executable = await nativeEngine.open(program, { threads: 1 });
        for (const [n, seed] of [
          [2, 11],
          [3, 12],
        ] as const) {
          const feeds = feedsFor(program, n, seed);
          const expected = evaluate(program, feeds, { batch: 1 });
          const actual = await executable.step(feeds);
          const tolerance = dtype === 'f64' ? 1e-12 : 1e-5;
          expect(largestDifference(actual['y']!, expected['y']!), dtype).toBeLessThanOrEqual(tolerance);
        }
        await executable.dispose();
      }
    });
  }
});
