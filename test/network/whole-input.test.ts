import { expect, it } from 'vitest';
import { type OpKind, type ValueType, opKinds, traitsOf } from '../../src/network/index.js';
import { opDef } from '../../src/network/ops/index.js';

const train = (start: number, steps: number): ValueType => ({
  shape: [3, 3],
  time: { start, steps },
  code: { kind: 'spike', min: 0, max: 1, step: 1 },
});

const attrs = {
  beta: 2,
  steps: 5,
  scale: 1,
  zero: 0,
  min: 0,
  max: 15,
  amplitude: 3,
  base: 16,
  place: 0,
  axis: 0,
  transpose: false,
};

/** What a layer fires on these inputs; a table has two values. */
function fired(kind: OpKind, inputs: readonly ValueType[], more: { readonly silent?: number } = {}) {
  const param = (role: string): readonly number[] | undefined => ({ thresholds: [1], levels: [2] })[role];
  return opDef(kind).type({
    inputs,
    attrs: { ...attrs, ...(kind === 'group_neuron' && { function: 'softmax' }), ...more },
    param,
  } as Parameters<ReturnType<typeof opDef>['type']>[0]);
}

const kinds = opKinds.filter((kind) => traitsOf({ kind }).role === 'whole-input');
const inputsOf = (kind: OpKind): number => opDef(kind).arity[0];

it('there are layers of one input and of two that decide on all of it', () => {
  expect(new Set(kinds.map(inputsOf))).toEqual(new Set([1, 2]));
});

it.each(kinds)('%s fires after its silent period, which lasts at least as long as its longest input', (kind) => {
  const both = [train(4, 6), train(4, 8)].slice(-inputsOf(kind));
  expect(fired(kind, both, { silent: 8 })).toEqual({
    shape: [3, 3],
    time: { start: 12, steps: 5 },
    code: { kind: 'spike', min: -1, max: 1, step: 3 },
  });
  expect(fired(kind, both, { silent: 7 })).toBe('is silent for 7 steps, its input has 8: it decides on all of it');
  // before time is scheduled
  expect(fired(kind, both)).toMatchObject({ time: { start: 4, steps: 5 } });
});

it.each(kinds)('%s needs time steps on every input', (kind) => {
  const still: ValueType = { shape: [3, 3], code: { kind: 'real' } };
  const inputs = [train(0, 6), still].slice(-inputsOf(kind));
  expect(fired(kind, inputs, { silent: 6 })).toMatch(
    /^needs (an input|inputs) with time steps; encode the input first$/,
  );
});
