import { expect, it } from 'vitest';
import { fanOuts } from '../../../src/cost/index.js';
import { forInference } from '../../../src/workspace/compiled.js';
import { Findings } from '../../../src/workspace/findings.js';
import { lower, outputNames } from '../../../src/lower/program/index.js';
import { evaluate } from '../../../src/tensor/index.js';
import { pooledNetwork } from '../../support/pooled.js';
import { forwardFeeds } from '../../support/train.js';

/** Levels times fan-out of all max pools, image by image; undefined where they aren't counted. */
function pooledOperations(pooled: string): readonly number[] | undefined {
  const { network } = forInference(pooledNetwork(pooled), new Findings());
  const lowered = lower(network, { probes: { counts: fanOuts(network) } });
  const { labels: _labels, ...feeds } = forwardFeeds(lowered, 3);
  const results = evaluate(lowered.program, feeds);
  const counts = network.ops
    .filter(({ kind }) => kind === 'maxpool')
    .map(({ id }) => results[outputNames.counts(id)]?.data);
  if (counts.some((one) => one === undefined)) return undefined;
  return [0, 1, 2].map((image) => counts.reduce((sum, data) => sum + data![2 * image + 1]!, 0));
}

it('a maximum over joined trains counts the levels of each in its own step size', () => {
  const joined = pooledOperations('concat(a, b) | maxpool(2)')!;
  const apart = pooledOperations('concat(a | maxpool(2), b | maxpool(2))')!;
  expect(Math.min(...joined)).toBeGreaterThan(0);
  joined.forEach((operations, image) => expect(operations).toBeCloseTo(apart[image]!, 2));
});

it('a sum of a train with itself has twice its levels; one of different step sizes has none to count', () => {
  const once = pooledOperations('where(true, a, b) | maxpool(2)');
  const twice = pooledOperations('a + a | maxpool(2)');
  twice!.forEach((operations, image) => expect(operations).toBeCloseTo(2 * once![image]!, 2));
  expect(pooledOperations('a + b | maxpool(2)')).toBeUndefined();
});
