import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandUnits } from '../../src/equations/index.js';
import { type NeuronUse, checkModel } from '../../src/model/index.js';
import { evaluateNeuron } from '../support/run-neuron.js';
import { testLoader } from '../support/spike.js';

function use(neuron: string, args: Readonly<Record<string, number>>): NeuronUse {
  const source = { name: 'model.spike', text: neuron };
  const { value, diagnostics } = checkModel(source, testLoader());
  expect(diagnostics).toEqual([]);
  return { def: [...value!.neurons.values()][0]!, args, place: { source, start: 0, end: 0 } };
}

describe('expandUnits', () => {
  it('keeps what a neuron does, sums over its own units included', () => {
    const written = use(
      `neuron N(k: int = 3, w = 0.3) {
        state u[k] = 1
        state v = 0
        charge each = u * unit + x
               u    = each - w * sum(u * unit) / k
        fire   up = u > v
               s  = sum(up) + (sum(u) > 2)
        reset  v = v + s / 4
               u = where(up, u - sum(where(up, 1, 0)), u)
      }`,
      { k: 3, w: 0.3 },
    );
    const expanded = expandUnits(written)!;
    expect(expanded.def.states.map((state) => state.name)).toEqual(['u_unit1', 'u_unit2', 'u_unit3', 'v']);
    expect(expanded.def.states.every((state) => state.units === undefined)).toBe(true);
    const inputs = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(inputs, (input) => {
        expect(evaluateNeuron(expanded.def, written.args, input)).toEqual(
          evaluateNeuron(written.def, written.args, input),
        );
      }),
    );
  });

  it('gives a neuron without units back', () => {
    const written = use('neuron N { state u = 0 charge u = u + x fire s = u > 0 }', {});
    expect(expandUnits(written)).toBe(written);
  });

  it('gives nothing for numbers of units that differ or are out of range', () => {
    const two =
      'neuron N(k = 2, m = 2) { state u[k] = 0 state v[m + 1 - 1] = 0 charge u = x v = x fire s = sum(u + v) }';
    expect(expandUnits(use(two, { k: 2, m: 2 }))).toBeDefined();
    expect(expandUnits(use(two, { k: 2, m: 3 }))).toBeUndefined();
    expect(expandUnits(use(two, { k: 0, m: 0 }))).toBeUndefined();
    expect(expandUnits(use(two, { k: 1.5, m: 1.5 }))).toBeUndefined();
    expect(expandUnits(use(two, { k: 65, m: 65 }))).toBeUndefined();
  });
});
