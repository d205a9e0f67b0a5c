import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Opened } from '../../../src/engines/index.js';
import type { Tensor } from '../../../src/base/dtype.js';
import { evaluate, primKinds, verified } from '../../../src/tensor/index.js';
import { optimisedEngines } from '../../support/native.js';
import { prefixed, together } from '../../support/together.js';
import { cases, feedsFor, largestDifference, programOf } from '../../tensor/cases.js';

const all = cases.flatMap((c) => c.dtypes.map((dtype) => ({ c, dtype, program: programOf(c, dtype) })));

describe.each(optimisedEngines)('C of the $name engine', (engine) => {
  it('has a case for every primitive', () => {
    const covered = new Set(cases.map((c) => c.kind));
    expect(primKinds.filter((kind) => !covered.has(kind))).toEqual([]);
  });

  // one program of all cases: one call of the compiler, and kernels that compute several of them
  let opened: Opened;
  const results = new Map<number, Promise<Record<string, Tensor>>>();
  const batches = [
    [2, 11],
    [3, 12],
  ] as const;
  beforeAll(async () => {
    const program = together(all.map(({ program }, i) => prefixed(program, `c${i}.`)));
    opened = await engine.open(verified(program, 'cases'), { threads: 2 });
    for (const [n, seed] of batches) {
      const feeds = all.flatMap(({ program }, i) =>
        Object.entries(feedsFor(program, n, seed)).map(([id, value]) => [`c${i}.${id}`, value]),
      );
      results.set(n, opened.step(Object.fromEntries(feeds)));
    }
  }, 120_000);
  afterAll(() => opened.dispose());

  for (const [i, { c, dtype, program }] of all.entries()) {
    it(`${c.label} in ${dtype} equals the reference evaluator`, async () => {
      for (const [n, seed] of batches) {
        const found = await results.get(n)!;
        const expected = evaluate(program, feedsFor(program, n, seed), { batch: n })['y']!;
        const actual = found[`c${i}.y`]!;
        const tolerance = dtype === 'f64' ? 1e-12 : 1e-5;
        expect(largestDifference(actual, expected)).toBeLessThanOrEqual(tolerance);
      }
    });
  }
});
