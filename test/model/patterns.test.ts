import { textOfHelp } from '../../src/base/diagnostics/index.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layerHelp, layerMatcher, layerMatches } from '../../src/model/index.js';
import { isInside, join } from '../../src/model/paths.js';
import { processorTime } from '../support/processor-time.js';

it('a pattern means an id, the start of ids, or has stars for anything', () => {
  expect(layerMatches('stage3', 'stage3.0.pre.conv')).toBe(true);
  expect(layerMatches('stage3', 'stage30.conv')).toBe(false);
  expect(layerMatches('stage3.0.pre.conv', 'stage3.0.pre.conv')).toBe(true);
  expect(layerMatches('stage*.0.*conv', 'stage3.0.pre.conv')).toBe(true);
  expect(layerMatches('*conv', 'stage3.0.pre.conv')).toBe(true);
  expect(layerMatches('*conv', 'stage3.0.pre.conv_2')).toBe(false);
  expect(layerMatches('a*a', 'a')).toBe(false);
});

const ids = ['stem.conv', 'stem.batchnorm', 'stage1.0.pre.conv', 'stage1.0.post.conv', 'second.conv', 'output.linear'];

it.each([
  ['stage1.pre', 'stage1.0.pre'],
  ['stage1.post.conv', 'stage1.0.post.conv'],
  ['stage1.0.prr', 'stage1.0.pre'],
  ['conv', '*.conv'],
  ['linear', '*.linear'],
  ['convs', '*.conv'],
  ['*linaer', '*.linear'],
  ['*.con', '*con*'],
  ['second.conv.weight', 'second.conv'],
])('help for %s: %s', (pattern, help) => {
  expect(textOfHelp(layerHelp(pattern, ids))).toBe(`did you mean "${help}"?`);
});

it('what is unlike all layers has them listed; what is proposed means a layer', () => {
  expect(layerHelp('zzz', ids)).toBe(`layers are ${ids.join(', ')}`);
  expect(layerHelp('zzz', [...ids, 'last'])).toBe(`layers are ${ids.join(', ')}, …`);
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z1*.]{0,20}$/), (pattern) => {
      const proposed = /^did you mean "(.*)"\?$/.exec(textOfHelp(layerHelp(pattern, ids)))?.[1];
      if (proposed !== undefined) expect(ids.some(layerMatcher(proposed))).toBe(true);
    }),
  );
});

it('stars match as the regular expression .* does, without its slowness', () => {
  const text = fc.stringMatching(/^[ab]{0,8}$/);
  fc.assert(
    fc.property(fc.array(text, { minLength: 2, maxLength: 4 }), text, (parts, id) => {
      expect(layerMatches(parts.join('*'), id)).toBe(new RegExp(`^${parts.join('.*')}$`).test(id));
    }),
  );
  const long = processorTime(() => layerMatches(`${'a*'.repeat(2000)}b`, 'a'.repeat(20000)));
  expect(long).toBeLessThan(500);
});

it('paths stay inside their folder', () => {
  expect(join('a/b', './c/../d.spike')).toBe('a/b/d.spike');
  expect(join('a/b', '../../../x')).toBe('../x');
  expect(join('.', 'x')).toBe('x');
  expect(join('/a', '../..')).toBe('/');
  expect(isInside('a/b', 'a/b/c')).toBe(true);
  expect(isInside('a/b', 'a/bc')).toBe(false);
  expect(isInside('.', '../x')).toBe(false);
  expect(isInside('..', '../x')).toBe(true);
  expect(isInside('..', '../../x')).toBe(false);
  expect(isInside('/', '/x')).toBe(true);
  expect(isInside('.', '/x')).toBe(false);
});
