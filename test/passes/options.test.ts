import { expect, it } from 'vitest';
import { byPattern, configure, everyLayer, passes, pipelines, withOptions } from '../../src/passes/index.js';

const named = (name: string): (typeof passes)[number] => passes.find((pass) => pass.name === name)!;

it('an option that isn’t the pass’s, one that is missing, and a pass outside of the pipeline are misuse', () => {
  expect(() => withOptions(named('dead-code'), { silent: everyLayer(2) })).toThrow(
    new TypeError('pass dead-code has no option silent'),
  );
  expect(() => withOptions(named('insert-neurons'), { steps: 4 })).toThrow(
    new TypeError('pass insert-neurons needs the option neuron'),
  );
  // @ts-expect-error -- the types say so too
  expect(() => configure(pipelines.ann, { 'schedule-time': {} })).toThrow(TypeError);
  // @ts-expect-error -- a pipeline whose passes need options can't do without
  expect(() => configure(pipelines['convert.rate'], {})).toThrow(TypeError);
});

it('of the patterns that mean a layer the last with a value counts', () => {
  const values = byPattern<number>([
    { pattern: 'stage1.*', value: 2 },
    { pattern: 'stage1', value: 3 },
    { pattern: 'stage1.0', value: undefined },
    { pattern: 'stage7', value: 4 },
  ]);
  expect(['stage1.0.spike', 'stage1', 'stem'].map(values.of)).toEqual([3, 3, undefined]);
  expect(values.unmatched(['stage1', 'stem']).map(({ pattern }) => pattern)).toEqual([
    'stage1.*',
    'stage1.0',
    'stage7',
  ]);
});
