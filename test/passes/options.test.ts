import { expect, it } from 'vitest';
import { InvariantError } from '../../src/base/invariant.js';
import { NetworkBuilder } from '../../src/network/index.js';
import {
  byPattern,
  configure,
  everyLayer,
  passes,
  pipelines,
  runPipeline,
  withOptions,
} from '../../src/passes/index.js';
import { definePass } from '../../src/passes/pass.js';
import { surroundings } from '../support/sws.js';

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
  expect(() => configure(pipelines['convert.means'], {})).toThrow(TypeError);
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

it('a pass that leaves no valid network is our bug, or the user’s error where the user chose the passes', () => {
  const b = new NetworkBuilder('n');
  b.add({ id: 'x', kind: 'input', attrs: { shape: [2] } });
  const network = b.finish(['x']);
  const breaking = definePass({
    name: 'breaking',
    doc: 'Names an output that there isn’t.',
    options: {},
    run: (from) => ({ ...from, outputs: ['y'] }),
  });
  const passes = [withOptions(breaking, {})];
  expect(() => runPipeline(network, passes, surroundings)).toThrow(InvariantError);
  const { network: left, diagnostics } = runPipeline(network, passes, surroundings, { chosen: true });
  expect([left, diagnostics.map(({ code }) => code)]).toEqual([undefined, ['pass/unfit']]);
});
