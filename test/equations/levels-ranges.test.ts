import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import type { Outcome } from '../../src/base/diagnostics/index.js';
import { lower } from '../../src/lower/program/index.js';
import { spikeLevels } from '../../src/equations/index.js';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { problemsOf } from '../support/problems.js';
import { type Model, checkModel } from '../../src/model/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { testLoader } from '../support/spike.js';

function modelOf(levels: string): Outcome<Model> {
  const text = `neuron Own(D = 1.5, N: int = 10) {
      state u = 0
      charge u = u + x
      fire s = levels(u, ${levels})
      reset u = u - s
    }
    network Net { input x: real[81] output x | spike }
    config c { network Net neuron Own(D: 1.5, N: 10) coding direct(1) }`;
  return checkModel({ name: 'm.spike', text }, testLoader());
}

/** What is written, and the lowest and highest output and the step between. */
const ranges: readonly [string, number, number, number][] = [
  ['max: 4', 0, 4, 1],
  ['min: 0, max: 3 * D + 0.5, step: 1', 0, 5, 1],
  ['min: 0, max: D, step: 1 / N', 0, 1.5, 0.1],
  ['max: 5.11, step: 0.01', 0, 5.11, 0.01],
  ['min: -1, max: 1', -1, 1, 1],
  ['min: -4, max: 3, step: 0.5', -4, 3, 0.5],
  ['max: 2, min: 1', 1, 2, 1],
];

describe('levels with a range', () => {
  it.each(ranges)('levels(u, %s) is the highest level up to u', (written, min, max, step) => {
    const { value, diagnostics } = modelOf(written);
    expect(diagnostics.filter(({ code }) => code !== 'model/unused-parameter')).toEqual([]);
    const config = value!.configs.get('c')!;
    const { def, args } = config.neuron!;
    expect(spikeLevels(def, args)).toEqual({ min: Math.round(min / step), max: Math.round(max / step), step });
    const { value: network } = lowerModel(config);
    // no current lies on a boundary, where float32 may decide otherwise
    const currents = Array.from({ length: 81 }, (_, i) => (i - 40) * 0.153 + 0.0041);
    const { '0': out } = evaluate(lower(network!).program, { x: tensor('f32', [1, 81], currents) });
    currents.forEach((u, i) => {
      let expected = min;
      for (let level = min; level <= max + step / 2; level += step) if (level <= u) expected = level;
      expect(out!.data[i], `u = ${u}`).toBeCloseTo(expected, 4);
    });
  });

  it('must hold a whole number of steps', () => {
    const codes = (written: string): string[] => problemsOf(modelOf(written).value!).map(({ code }) => code);
    expect(codes('max: D')).toEqual(['model/uneven-levels']);
    expect(codes('max: D, step: 1 / (N - 3)')).toEqual(['model/uneven-levels']);
    expect(codes('min: 2, max: 1')).toEqual(['model/empty-levels']);
    expect(codes('min: 1, max: 1')).toEqual(['model/no-levels']);
    expect(codes('max: 70000')).toEqual(['model/too-many-levels']);
  });

  it('doesn’t learn its bounds', () => {
    const text = `neuron Own(D = learn(3)) { state u = 0 charge u = u + x fire s = levels(u, max: D) }
      network Net { input x: real[4] output x | spike }
      config c { network Net neuron Own coding direct(1) }
      config d { network Net neuron Own(D: fixed(3)) coding direct(1) }`;
    const { value } = checkModel({ name: 'm.spike', text }, testLoader());
    const codes = (name: string): string[] => lowerModel(value!.configs.get(name)!).diagnostics.map(({ code }) => code);
    expect([codes('c'), codes('d')]).toEqual([['cli/not-lowered'], []]);
  });

  it('needs an upper bound, and no bits beside it', () => {
    const said = (written: string): unknown =>
      modelOf(written)
        .diagnostics.filter(({ severity }) => severity === 'error')
        .map(({ code, message, help }) => [code, message, help]);
    const forms = 'write `levels(v, bits: integer.fraction)` or `levels(v, min: 0, max: D, step: 1)`';
    expect(said('min: -1')).toEqual([['model/argument-missing', expect.stringContaining('`max'), forms]]);
    expect(said('integer: 2')).toEqual([['model/argument-missing', expect.stringContaining('`fraction'), forms]]);
    expect(said('fraction: 2')).toEqual([['model/argument-missing', expect.stringContaining('`integer'), forms]]);
    expect(said('integer: -1, fraction: 3')).toEqual([
      [
        'model/argument-type',
        '`integer` of `levels` must be an integer of at least 0, not a negative one',
        expect.stringContaining('min: …, max: …'),
      ],
    ]);
    expect(said('bits: 2.1, max: 3')).toEqual([
      ['model/argument-unknown', expect.any(String), `bits give the range already: ${forms}`],
    ]);
  });
});
