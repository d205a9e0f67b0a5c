import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spikeLevels } from '../../src/equations/index.js';
import { checkModel } from '../../src/model/index.js';
import { evaluateNeuron } from '../support/run-neuron.js';
import { libraryText, testLoader } from '../support/spike.js';

const { value: library } = checkModel({ name: 'spikec/neurons', text: libraryText('neurons') }, testLoader());

function levels(name: string, args: Readonly<Record<string, number>> = {}): unknown {
  const def = library!.neurons.get(name)!;
  return spikeLevels(def, { ...Object.fromEntries(def.params.map((p) => [p.name, p.default ?? 0])), ...args });
}

describe('spikeLevels', () => {
  it('are those of the papers for every standard neuron', () => {
    expect(levels('IF')).toEqual({ min: 0, max: 1, step: 1 });
    expect(levels('LIF')).toEqual({ min: 0, max: 1, step: 1 });
    expect(levels('PLIF')).toEqual({ min: 0, max: 1, step: 1 });
    expect(levels('MBLIF')).toEqual({ min: 0, max: 7, step: 0.5 });
    expect(levels('MBIF')).toEqual({ min: 0, max: 15, step: 0.125 });
    expect(levels('MLF', { k: 4 })).toEqual({ min: 0, max: 4, step: 1 });
    expect(levels('Ternary', { alpha: 0.3 })).toEqual({ min: -1, max: 1, step: 0.3 });
    expect(levels('BackEI')).toEqual({ min: -1, max: 1, step: 1 });
    expect(levels('ILIF', { D: 5 })).toEqual({ min: 0, max: 5, step: 1 });
    expect(levels('IBLIF')).toEqual({ min: 0, max: 3, step: 1 });
    expect(levels('IBRALIF')).toEqual({ min: 0, max: 15, step: 0.1 });
    expect(levels('Refined', { bits: 3, theta: 0.2 })).toEqual({ min: 0, max: 7, step: 0.2 });
    expect(levels('Refined', { bits: 3, theta: 0.2, signed: 1 })).toEqual({ min: -4, max: 3, step: 0.2 });
    expect(levels('TSA')).toEqual({ min: -1, max: 1, step: 1 });
  });

  it('hold for whatever the neurons emit', () => {
    // LI gives its membrane: it has no levels, as the next test has it
    const firing = [...library!.neurons.keys()].filter((name) => name !== 'LI');
    const inputs = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...firing), inputs, (name, input) => {
        const def = library!.neurons.get(name)!;
        const args = Object.fromEntries(def.params.map((p) => [p.name, p.default ?? 0]));
        const { min, max, step } = spikeLevels(def, args, { steps: input.length })!;
        for (const s of evaluateNeuron(def, args, input)) {
          const level = s / step;
          expect(Math.abs(level - Math.round(level))).toBeLessThan(1e-9);
          expect(level).toBeGreaterThanOrEqual(min - 1e-9);
          expect(level).toBeLessThanOrEqual(max + 1e-9);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are unknown where nothing bounds the output or gives it a step', () => {
    const of = (fire: string): unknown => {
      const text = `neuron N(p = 0.3) { state u = 0 charge u = u + x * p fire ${fire} }`;
      const { value } = checkModel({ name: 'm.spike', text }, testLoader());
      return spikeLevels(value!.neurons.get('N')!, { p: 0.3 });
    };
    expect(of('s = u')).toBeUndefined();
    expect(spikeLevels(library!.neurons.get('LI')!, { tau: 2 })).toBeUndefined();
    expect(of('s = tanh(u)')).toBeUndefined();
    expect(of('s = floor(u)')).toBeUndefined();
    expect(of('s = clip(u, 0, 1)')).toBeUndefined();
    expect(of('s = clip(floor(u), -1, 2) * 0.5 + (u > 1) * 0.75')).toEqual({ min: -2, max: 7, step: 0.25 });
    expect(of('s = max(min(round(u), 3), 0) - (not (u > 0))')).toEqual({ min: -1, max: 3, step: 1 });
    expect(of('s = where(t > 1, abs(sign(u)) / 4, 0)')).toEqual({ min: 0, max: 1, step: 0.25 });
    expect(of('s = 0')).toEqual({ min: 0, max: 0, step: 1 });
  });
});
