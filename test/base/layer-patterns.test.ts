import { expect, it } from 'vitest';
import { LayerPatterns, layerMatches, meansSome } from '../../src/base/layer-patterns.js';
import { seededRandom } from '../../src/base/random.js';

it('looked up, patterns mean the layers that they mean one by one, in the order in which they were said', () => {
  const random = seededRandom(5);
  const pick = (list: readonly string[]): string => list[Math.floor(list.length * random())]!;
  const word = (): string => pick(['a', 'b', 'ab', 'stage1', '0', '1', '']);
  const joined = (part: () => string): string => Array.from({ length: 1 + 3 * random() }, part).join('.');
  let [meant, sought] = [0, 0];
  for (let n = 0; n < 400; n++) {
    const ids = Array.from({ length: 12 }, () => `x${joined(word)}`.slice(1 - Math.round(random())));
    const all = Array.from({ length: 8 }, () => ({ pattern: joined(() => pick([word(), '*', `${word()}*`])) }));
    const patterns = new LayerPatterns(all);
    const means = meansSome(ids);
    for (const id of ids.filter((one) => !one.startsWith('.'))) {
      const expected = all.filter(({ pattern }) => layerMatches(pattern, id));
      expect(patterns.of(id), `${id}: ${all.map(({ pattern }) => pattern).join(' ')}`).toEqual(expected);
      meant += expected.length;
    }
    for (const { pattern } of all.filter((one) => one.pattern !== '')) {
      expect(means(pattern), `${pattern}: ${ids.join(' ')}`).toBe(ids.some((id) => layerMatches(pattern, id)));
      sought++;
    }
  }
  expect(meant).toBeGreaterThan(500);
  expect(sought).toBeGreaterThan(2000);
});
